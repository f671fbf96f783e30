/* As much of NVS as identity.c and settings.c need: nvs_fake.c. */
#ifndef FAKE_NVS_H
#define FAKE_NVS_H

#include <stddef.h>
#include <stdint.h>

typedef int esp_err_t;
typedef int nvs_handle_t;
typedef enum { NVS_READONLY, NVS_READWRITE } nvs_open_mode_t;
#define ESP_OK 0
#define ESP_FAIL (-1)

esp_err_t nvs_open(const char *name, nvs_open_mode_t mode, nvs_handle_t *handle);
esp_err_t nvs_get_u8(nvs_handle_t handle, const char *key, uint8_t *value);
esp_err_t nvs_set_u8(nvs_handle_t handle, const char *key, uint8_t value);
esp_err_t nvs_get_str(nvs_handle_t handle, const char *key, char *value, size_t *bytes);
esp_err_t nvs_set_str(nvs_handle_t handle, const char *key, const char *value);
esp_err_t nvs_get_blob(nvs_handle_t handle, const char *key, void *value, size_t *bytes);
esp_err_t nvs_set_blob(nvs_handle_t handle, const char *key, const void *value, size_t bytes);
esp_err_t nvs_erase_key(nvs_handle_t handle, const char *key);
esp_err_t nvs_commit(nvs_handle_t handle);

/** What nvs_flash_init answers, and how often the partition was erased. */
extern esp_err_t nvs_init_answer;
extern int nvs_erased;
/** Writes that still succeed; then the power is off and every call fails. */
extern int nvs_writes_left;
void nvs_begin(void);

#endif
