#include "../settings.h"

#include "nvs_flash.h"
#include "port.h"
#include "test.h"

void port_log(enum log_level level, const char *event, int64_t value)
{
  (void)level, (void)event, (void)value;
}

static void keeps_what_it_is_given(void)
{
  char text[16] = "";
  nvs_begin();
  settings_start();
  EXPECT_EQ(port_settings_read("mark", text, sizeof text), 0);
  EXPECT_EQ(port_settings_write("mark", "state", 5), true);
  EXPECT_EQ(port_settings_read("mark", text, sizeof text), 5);
  EXPECT_EQ(port_settings_read("mark", text, 4), 0);
  nvs_writes_left = 0;
  EXPECT_EQ(port_settings_write("mark", "other", 5), false);
}

/* The certificate, its key and the high-water mark are in there, also when this image cannot read them. */
static void is_never_erased(void)
{
  static const esp_err_t answers[] = {ESP_ERR_NVS_NO_FREE_PAGES, ESP_ERR_NVS_NEW_VERSION_FOUND, ESP_FAIL};
  for (int i = 0; i < 3; i++) {
    char text[16];
    nvs_begin();
    settings_start();
    EXPECT_EQ(port_settings_write("mark", "state", 5), true);
    nvs_init_answer = answers[i];
    settings_start();
    EXPECT_EQ(nvs_erased, 0);
    EXPECT_EQ(port_settings_read("mark", text, sizeof text), 0);
    EXPECT_EQ(port_settings_write("mark", "other", 5), false);
    nvs_init_answer = ESP_OK; /* an image that can read it, or a repaired partition */
    settings_start();
    EXPECT_EQ(port_settings_read("mark", text, sizeof text), 5);
  }
}

#define CASE(function) {#function, function}

int main(void)
{
  static const struct test tests[] = {CASE(keeps_what_it_is_given), CASE(is_never_erased)};
  return RUN(tests);
}
