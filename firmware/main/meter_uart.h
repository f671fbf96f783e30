#ifndef AUTOVOLT_METER_UART_H
#define AUTOVOLT_METER_UART_H

/** UART 2 at 9600 8N1 to the PZEM-004T. */
void meter_uart_start(void);

#endif
