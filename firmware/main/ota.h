#ifndef AUTOVOLT_OTA_H
#define AUTOVOLT_OTA_H

#include <stdbool.h>

/**
 * Downloads an image over HTTPS into the other slot, in a task of its own, and makes it the next to
 * boot when its signature, its project and its version are right. Ends with PARCEL_UPDATE_ENDED to
 * the session. False when it could not be started.
 */
bool ota_begin(const char *url, const char *version);

#endif
