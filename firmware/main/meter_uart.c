#include "meter_uart.h"

#include "driver/uart.h"
#include "port.h"
#include "sdkconfig.h"

#define METER_PORT UART_NUM_2
/* The driver wants more than its hardware queue of 128; the longest frame has 25 bytes. */
#define RING_BYTES 256

static bool started;

void meter_uart_start(void)
{
  const uart_config_t config = {
      .baud_rate = 9600,
      .data_bits = UART_DATA_8_BITS,
      .parity = UART_PARITY_DISABLE,
      .stop_bits = UART_STOP_BITS_1,
      .flow_ctrl = UART_HW_FLOWCTRL_DISABLE,
      .source_clk = UART_SCLK_DEFAULT,
  };
  esp_err_t err = uart_driver_install(METER_PORT, RING_BYTES, RING_BYTES, 0, NULL, 0);
  if (err == ESP_OK) err = uart_param_config(METER_PORT, &config);
  if (err == ESP_OK)
    err = uart_set_pin(METER_PORT, CONFIG_AUTOVOLT_METER_TX_PIN, CONFIG_AUTOVOLT_METER_RX_PIN, UART_PIN_NO_CHANGE,
                       UART_PIN_NO_CHANGE);
  started = err == ESP_OK;
  if (!started) port_log(LOG_ERROR, "meter_uart_fault", err);
}

bool port_uart_write(const void *from, uint32_t bytes)
{
  size_t room = 0;
  /* Writing more than there is room for would wait for the line. */
  if (!started || uart_get_tx_buffer_free_size(METER_PORT, &room) != ESP_OK || room < bytes) return false;
  return uart_write_bytes(METER_PORT, from, bytes) == (int)bytes;
}

uint32_t port_uart_read(void *to, uint32_t capacity)
{
  if (!started) return 0;
  int bytes = uart_read_bytes(METER_PORT, to, capacity, 0);
  return bytes > 0 ? (uint32_t)bytes : 0;
}
