#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "linux_node.h"

/* The node's firmware as a Linux process: the same core, with files for flash and simulated loads. */

static struct options options;
static struct node node;
static volatile sig_atomic_t stop_asked, status_asked;

static void on_signal(int number)
{
  if (number == SIGUSR1) status_asked = 1;
  else stop_asked = 1;
}

static uint64_t now_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Counter against truth, as one line of JSON. */
static void tell(bool final)
{
  static char text[4096];
  struct json_writer w;
  struct energy energy = node_energy(&node);
  uint64_t truth_mws = 0;
  for (int i = 0; i < CHANNELS_MAX; i++) truth_mws += world_truth_mws(i);
  json_begin(&w, text, sizeof text);
  json_object(&w);
  json_key(&w, "esp32_name"), json_string(&w, node.name);
  json_key(&w, "final"), json_bool(&w, final);
  json_key(&w, "counter_known"), json_bool(&w, node.counter_known);
  json_key(&w, "counter_epoch"), json_uint(&w, node.journal.chain.counter_epoch);
  json_key(&w, "sequence_no"), json_uint(&w, node.journal.chain.sequence_no);
  json_key(&w, "counter_mws"), json_uint(&w, energy.total_mws);
  json_key(&w, "counter_mwh"), json_uint(&w, energy.total_mws / MWS_PER_MWH);
  json_key(&w, "truth_mws"), json_uint(&w, truth_mws);
  json_key(&w, "backlog"), json_uint(&w, node_backlog(&node));
  json_key(&w, "behind_ms"), json_uint(&w, world_behind_ms());
  json_key(&w, "boots"), json_uint(&w, truth->boots);
  json_key(&w, "published"), json_uint(&w, truth->published);
  json_key(&w, "acknowledged"), json_uint(&w, truth->acknowledged);
  json_key(&w, "wall_ms"), json_uint(&w, truth->wall_ms);
  json_key(&w, "channels"), json_array(&w);
  for (int i = 0; i < node.configurations.current->channel_count; i++) {
    json_object(&w);
    json_key(&w, "device_id"), json_string(&w, node.configurations.current->channels[i].device_id);
    json_key(&w, "counter_mws"), json_uint(&w, energy.channel_mws[i]);
    json_key(&w, "counter_mwh"), json_uint(&w, energy.channel_mws[i] / MWS_PER_MWH);
    json_key(&w, "truth_mws"), json_uint(&w, world_truth_mws(i));
    json_key(&w, "on_time_s"), json_uint(&w, energy.on_time_ms[i] / 1000);
    json_object_end(&w);
  }
  json_array_end(&w);
  json_object_end(&w);
  printf("%s\n", text);
  fflush(stdout);
}

/* Virtual time passes in steps that divide the period, so that an hour in a second is like an hour. */
static void let_pass(uint64_t real_passed_ms)
{
  uint64_t behind_ms = world_behind_ms();
  if (options.backdate_ms == 0 || behind_ms <= real_passed_ms + 1000) {
    world_pass(real_passed_ms);
    node_poll(&node);
    return;
  }
  uint64_t step_ms = options.factory.period_ms < 5000 ? options.factory.period_ms : 5000;
  uint64_t due_ms = real_passed_ms * options.speed;
  if (due_ms > behind_ms) due_ms = behind_ms;
  for (uint32_t steps = 0; due_ms > 0 && steps < 2000 && !stop_asked && !world_restart_asked; steps++) {
    uint64_t ms = due_ms < step_ms ? due_ms : step_ms;
    world_pass(ms);
    due_ms -= ms;
    node_poll(&node);
  }
}

static void live(uint64_t until_ms)
{
  uint64_t before_ms = now_ms();
  bool was_behind = false;
  while (!stop_asked && !world_restart_asked && now_ms() < until_ms) {
    uint64_t at_ms = now_ms();
    if (at_ms > before_ms) let_pass(at_ms - before_ms);
    before_ms = at_ms;
    bool behind = world_behind_ms() > 2000;
    /* The waits between attempts have grown to minutes of virtual time; real minutes need not follow. */
    if (was_behind && !behind && node.machine.link == LINK_DOWN) node.machine.retry_ms = port_uptime_ms();
    was_behind = behind;
    broker_serve(&node, behind ? 0 : 10, !(behind && options.offline_until_now));
    updates_serve(&node);
    if (node.machine.link < LINK_CONNECTING && !behind) usleep(10000);
    if (status_asked) {
      status_asked = 0;
      tell(false);
    }
  }
}

/* A last reading, and time to have it acknowledged. The virtual time stands still: nothing is counted any more. */
static void finish(void)
{
  uint64_t until_ms = now_ms() + options.drain_ms;
  if (node.machine.storage == STORAGE_WORKS) node_take_reading(&node, CAUSE_COMMAND);
  while (node_backlog(&node) > 0 && now_ms() < until_ms) {
    node_poll(&node);
    broker_serve(&node, 10, true);
  }
  tell(true);
  broker_close();
}

int main(int argc, char **argv)
{
  options_read(&options, argc, argv);
  if (options.with_parent) prctl(PR_SET_PDEATHSIG, SIGTERM);
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGUSR1, &action, NULL);
  signal(SIGPIPE, SIG_IGN);
  files_open(&options);
  world_open(&options);
  broker_open(&options);
  uint64_t until_ms = options.for_ms > 0 ? now_ms() + options.for_ms : UINT64_MAX;
  enum reset_reason reason = RESET_POWER_ON;
  do {
    world_boot(reason);
    updates_boot();
    node_start(&node, &options.factory);
    live(until_ms);
    reason = RESET_SOFTWARE;
    if (!stop_asked && world_restart_asked) broker_close();
  } while (!stop_asked && world_restart_asked);
  finish();
  return node_backlog(&node) == 0 ? 0 : 3;
}
