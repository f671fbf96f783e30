#include "fetch.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define HEAD_BYTES 4096
#define TIMEOUT_S 15

static int connect_to(const char *host, const char *port)
{
  const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  const struct timeval timeout = {.tv_sec = TIMEOUT_S};
  struct addrinfo *found = NULL;
  int connected = -1;
  if (getaddrinfo(host, port, &hints, &found) != 0) return -1;
  for (struct addrinfo *at = found; at != NULL && connected < 0; at = at->ai_next) {
    int file = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
    if (file < 0) continue;
    setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    if (connect(file, at->ai_addr, at->ai_addrlen) == 0) connected = file;
    else close(file);
  }
  freeaddrinfo(found);
  return connected;
}

/* Everything until the server closes; the answer to HTTP/1.0 is never in chunks. */
static uint8_t *read_all(int file, size_t most, size_t *length)
{
  uint8_t *all = malloc(most);
  *length = 0;
  while (all != NULL) {
    ssize_t got = *length < most ? recv(file, all + *length, most - *length, 0) : -1;
    if (got == 0) return all;
    if (got < 0) break;
    *length += (size_t)got;
  }
  free(all);
  return NULL;
}

uint8_t *fetch(const char *url, uint32_t most, uint32_t *bytes)
{
  char host[128], port[8], request[HEAD_BYTES];
  int path_at = 0;
  if (sscanf(url, "http://%127[^:/]:%7[0-9]%n", host, port, &path_at) != 2 || url[path_at] != '/') return NULL;
  int length = snprintf(request, sizeof request, "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n", url + path_at, host);
  int file = length < (int)sizeof request ? connect_to(host, port) : -1;
  if (file < 0) return NULL;
  uint8_t *all = NULL;
  size_t got = 0;
  if (send(file, request, (size_t)length, MSG_NOSIGNAL) == length) all = read_all(file, (size_t)most + HEAD_BYTES, &got);
  close(file);
  if (all == NULL) return NULL;
  uint8_t *body = memmem(all, got, "\r\n\r\n", 4);
  if (got < 12 || memcmp(all + 8, " 200", 4) != 0 || body == NULL || got - (size_t)(body + 4 - all) > most) {
    free(all);
    return NULL;
  }
  body += 4;
  *bytes = (uint32_t)(got - (size_t)(body - all));
  memmove(all, body, *bytes);
  return all;
}
