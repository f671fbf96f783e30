#include <stddef.h>

#include "sim.h"

/* Whole messages of the commands and resend topics, through a node at work: parse, judge, carry out, answer. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static struct node node;
  static const struct configuration c = {.period_ms = 30000, .meter_address = 1, .channel_count = 2,
                                         .channels = {{"light-1", 36000}, {"fan-1", 72000}}};
  if (node.boot_id == 0) {
    sim_new(8);
    sim.online = true;
    node_start(&node, &c);
    sim_run(&node, 60000, 5000);
  }
  if (size == 0) return 0;
  const char *topic = data[0] & 1 ? "autovolt/esp32-b2-101/resend" : "autovolt/esp32-b2-101/commands";
  node_on_mqtt_message(&node, topic, (const char *)data + 1, (uint32_t)(size - 1));
  /* Each answer is JSON again, whatever was asked. */
  static struct json json;
  const struct sim_message *reply = sim_last("/reply");
  if (reply && !json_parse(&json, reply->payload, reply->length)) __builtin_trap();
  sim_run(&node, 1000, 500);
  sim_acknowledge_all(&node);
  return 0;
}
