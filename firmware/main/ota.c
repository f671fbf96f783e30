#include "ota.h"

#include <stdlib.h>
#include <string.h>

#include "esp_app_desc.h"
#include "esp_crt_bundle.h"
#include "esp_https_ota.h"
#include "esp_ota_ops.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "port.h"
#include "session.h"

#define STACK_BYTES 8192
/* Below the core and the session: an update may take its time. */
#define PRIORITY 3
#define TIMEOUT_MS 15000
/* An address signed for S3 has up to 2 KB, and its request line must fit. */
#define HTTP_BYTES 4096
#define POST_WAIT_MS 60000u

struct order {
  char *url, *version;
};

static void forget(struct order *order)
{
  free(order->url);
  free(order->version);
  free(order);
}

/* NULL, or why this image is not the one the job speaks of. */
static const char *wrong(esp_https_ota_handle_t download, const char *version)
{
  esp_app_desc_t image;
  if (esp_https_ota_get_img_desc(download, &image) != ESP_OK) return "image_unreadable";
  if (strncmp(image.project_name, esp_app_get_description()->project_name, sizeof image.project_name) != 0)
    return "other_project";
  if (strncmp(image.version, version, sizeof image.version) != 0) return "other_version";
  return NULL;
}

/* NULL, or why the image was not installed. */
static const char *install(const struct order *order)
{
  const esp_http_client_config_t http = {
      .url = order->url,
      .crt_bundle_attach = esp_crt_bundle_attach,
      .timeout_ms = TIMEOUT_MS,
      .buffer_size = HTTP_BYTES,
      .buffer_size_tx = HTTP_BYTES,
      .keep_alive_enable = true,
  };
  const esp_https_ota_config_t config = {.http_config = &http};
  esp_https_ota_handle_t download = NULL;
  esp_err_t err = esp_https_ota_begin(&config, &download);
  if (err != ESP_OK) {
    port_log(LOG_ERROR, "update_not_reached", err);
    return "not_reached";
  }
  const char *reason = wrong(download, order->version);
  if (reason == NULL) {
    do {
      err = esp_https_ota_perform(download);
    } while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    if (err != ESP_OK || !esp_https_ota_is_complete_data_received(download)) reason = "download_broken";
  }
  if (reason != NULL) {
    port_log(LOG_ERROR, "update_broken", err);
    esp_https_ota_abort(download);
    return reason;
  }
  /* Checks hash and signature, and only then names the slot to boot. */
  err = esp_https_ota_finish(download);
  if (err == ESP_OK) return NULL;
  port_log(LOG_ERROR, "update_refused", err);
  return err == ESP_ERR_OTA_VALIDATE_FAILED ? "image_not_valid" : "not_installed";
}

static void ota_task(void *argument)
{
  struct order *order = argument;
  port_log(LOG_INFO, "update_started", 0);
  const char *reason = install(order);
  forget(order);
  struct parcel parcel = {.kind = PARCEL_UPDATE_ENDED, .flag = reason == NULL};
  const char *said = reason == NULL ? "installed" : reason;
  /* Without memory for the reason it still ends: the session waits for it before it takes another job. */
  if (!parcel_pack(&parcel, said, (uint32_t)strlen(said), NULL, 0)) port_log(LOG_WARNING, "no_memory", 0);
  while (!session_post(parcel, POST_WAIT_MS)) continue;
  vTaskDelete(NULL);
}

bool ota_begin(const char *url, const char *version)
{
  struct order *order = calloc(1, sizeof *order);
  if (order == NULL) return false;
  order->url = strdup(url);
  order->version = strdup(version);
  if (order->url != NULL && order->version != NULL &&
      xTaskCreate(ota_task, "update", STACK_BYTES, order, PRIORITY, NULL) == pdPASS)
    return true;
  forget(order);
  return false;
}

bool port_ota_pending(void)
{
  esp_ota_img_states_t image;
  const esp_partition_t *running = esp_ota_get_running_partition();
  return running != NULL && esp_ota_get_state_partition(running, &image) == ESP_OK &&
         image == ESP_OTA_IMG_PENDING_VERIFY;
}

void port_ota_confirm(void)
{
  esp_err_t err = esp_ota_mark_app_valid_cancel_rollback();
  if (err != ESP_OK) {
    port_log(LOG_ERROR, "update_not_confirmed", err);
    return;
  }
  session_post((struct parcel){.kind = PARCEL_UPDATE_CONFIRMED}, 0);
}

void port_ota_rollback(void)
{
  /* Does not return, unless there is no former image to go back to. */
  esp_err_t err = esp_ota_mark_app_invalid_rollback_and_reboot();
  port_log(LOG_ERROR, "update_not_rolled_back", err);
}
