#ifndef AUTOVOLT_KEY_REQUEST_H
#define AUTOVOLT_KEY_REQUEST_H

#include <stdbool.h>

/* A P-256 key in PEM has about 230 bytes, a request with a short name about 440. */
#define KEY_PEM_BYTES 384
#define REQUEST_PEM_BYTES 768

/** A new key and the request for its certificate, both PEM with a closing zero. */
struct key_request {
  char key[KEY_PEM_BYTES];
  char request[REQUEST_PEM_BYTES];
};

/** Makes both on the node; the key leaves it never. `common_name` goes into the subject. Takes up to a second. */
bool key_request_make(struct key_request *made, const char *common_name);
/** Overwrites both. */
void key_request_forget(struct key_request *made);

#endif
