#ifndef FAKE_PLATFORM_UTIL_H
#define FAKE_PLATFORM_UTIL_H

#include <string.h>

#define mbedtls_platform_zeroize(at, bytes) memset(at, 0, bytes)

#endif
