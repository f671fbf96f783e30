#ifndef AUTOVOLT_PORT_H
#define AUTOVOLT_PORT_H

/*
 * Everything the core needs from outside. The core calls these functions and no others; each shell
 * (the ESP-IDF shell in main/, the Linux node and the simulators in host/) implements all of them.
 *
 * All calls come from one task, never from an interrupt, and none may block longer than 100 ms
 * (a flash erase excepted). What happens outside is handed to the core by the node_on_… functions
 * of node.h, from that same task.
 */

#include <stdbool.h>
#include <stdint.h>

/* ---- Flash: the journal's raw partition, addressed from its first byte ---- */

/** Smallest unit that can be erased; the partition is a whole number of these. */
#define PORT_FLASH_SECTOR_BYTES 4096u

/** Bytes of the journal partition: 4 to 256 sectors (1 MiB on the node). */
uint32_t port_flash_size(void);
/** Reads bytes as they stand. False only when the flash did not answer. */
bool port_flash_read(uint32_t offset, void *to, uint32_t bytes);
/** Clears bits (NOR flash: 1 to 0 only). Not encrypted: one range is written in several pieces. */
bool port_flash_write(uint32_t offset, const void *from, uint32_t bytes);
/** Sets one sector to 0xFF; offset is a multiple of PORT_FLASH_SECTOR_BYTES. */
bool port_flash_erase(uint32_t offset);

/* ---- Settings: small named blobs (NVS). A write is atomic: the old or the new value, never a mix ---- */

/** Bytes of the value copied to `to`; 0 when there is none, or it is longer than capacity, or unreadable. */
uint32_t port_settings_read(const char *key, void *to, uint32_t capacity);
/** True once the value is on flash. Keys are at most 15 characters, values at most 1,024 bytes. */
bool port_settings_write(const char *key, const void *from, uint32_t bytes);

/* ---- Time and chance ---- */

enum time_quality {
  TIME_NONE = 0,    /* no clock: the reading has no measured_at */
  TIME_NTP = 1,     /* set over the network since this boot */
  TIME_RTC = 2,     /* kept over a restart, not yet confirmed by the network */
  TIME_STEPPED = 3, /* set by the core when the clock moved against the uptime by over a minute */
};

/** Milliseconds since boot. Never goes back, does not wrap (64 bits), also runs before the clock is set. */
uint64_t port_uptime_ms(void);
/** UTC epoch milliseconds, or 0 with TIME_NONE. */
uint64_t port_wall_ms(enum time_quality *quality);
/** From the hardware random generator (with the radio or the bootloader's entropy source on). */
uint32_t port_random(void);

/* ---- Mains side ---- */

/** Drives the relay of a channel (0 to 7). */
void port_relay_set(uint8_t channel, bool on);
/** Position of the wall switch of a channel, raw: the core debounces. A change toggles the relay. */
bool port_switch_position(uint8_t channel);
/** Queues bytes to the meter's UART (9600 8N1). False when they could not be queued. */
bool port_uart_write(const void *from, uint32_t bytes);
/** Takes the bytes that arrived, without waiting; the count. */
uint32_t port_uart_read(void *to, uint32_t capacity);

/* ---- Network. Answers come back through node_on_wifi, node_on_mqtt_… ---- */

struct port_session {
  const char *client_id;
  const char *will_topic; /* published retained, QoS 1, by the broker when the session dies */
  const char *will;
  uint16_t keep_alive_s;
};

/** Starts joining the network (again); the answer is node_on_wifi. */
void port_wifi_connect(void);
/** Starts an MQTT 3.1.1 session (TLS, client certificate, clean session) with nothing of a former one left to send. */
void port_mqtt_connect(const struct port_session *session);
/** Ends the session, if there is one, and forgets what it had not sent. No node_on_mqtt_down follows. */
void port_mqtt_disconnect(void);
/** Subscribes at QoS 1. */
bool port_mqtt_subscribe(const char *topic);
/**
 * Publishes at QoS 1. The message id that node_on_mqtt_ack will name, always above 0; or -1 when
 * nothing was queued. Called only between node_on_mqtt_up and node_on_mqtt_down. Payloads are copied.
 */
int32_t port_mqtt_publish(const char *topic, const char *payload, uint32_t length, bool retain);

/* ---- The node itself ---- */

enum reset_reason {
  RESET_NONE = 0,
  RESET_POWER_ON = 1,
  RESET_BROWNOUT = 2,
  RESET_SOFTWARE = 3, /* a restart command or the end of an update */
  RESET_WATCHDOG = 4,
  RESET_PANIC = 5,
  RESET_OTHER = 6,
};

enum reset_reason port_reset_reason(void);
/** Thing name (1 to 128 of a-z A-Z 0-9 : _ -) with a usable certificate and key; false when not provisioned. */
bool port_identity(char *name, uint32_t capacity);
/** Starts provisioning by claim: key made on the node, CSR, RegisterThing. Then node_on_identity. */
void port_provision(void);
/** Text of the image's version, for as long as the node runs. */
const char *port_firmware_version(void);
void port_mac(uint8_t mac[6]);
uint32_t port_heap_free(void);
/** dBm; 0 when not joined. */
int32_t port_wifi_rssi(void);

/** True when this image boots for the first time after an update and is not confirmed. */
bool port_ota_pending(void);
/** Keeps the running image: its one-boot confirmation. */
void port_ota_confirm(void);
/** Marks the running image invalid and restarts into the former one. */
void port_ota_rollback(void);
void port_restart(void);

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO };

/** One line. `event` is one of the words in docs/firmware.md; value its figure. */
void port_log(enum log_level level, const char *event, int64_t value);

enum led { LED_OFFLINE, LED_CONNECTING, LED_REPLAY, LED_LIVE, LED_UPDATE, LED_FAULT };

void port_led(enum led led);

#endif
