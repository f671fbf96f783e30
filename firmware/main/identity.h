#ifndef AUTOVOLT_IDENTITY_H
#define AUTOVOLT_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The node's certificate and key. NVS holds two slots: the one in use, and during a rotation the one
 * on trial. A new certificate replaces the old one only after the broker accepted it; until then the
 * old one stays. A node may also have been given its certificate at the bench, in the setup partition.
 */

#define IDENTITY_THING_BYTES 129

/** PEM texts, each ending with a zero; esp-mqtt does not copy them, so they live as long as its client. */
struct identity {
  char *certificate, *key;
  uint8_t slot;
};

void identity_start(void);
/**
 * The one to connect with: the one in use, or, while another is on trial, the two in turn. An attempt
 * counts against the one on trial only when the one in use is accepted right after it: a broker that
 * cannot be reached says nothing about a certificate.
 */
bool identity_open(struct identity *identity);
void identity_close(struct identity *identity);
/** Stores a new identity: as the one in use when there is none, else on trial. */
bool identity_store(const char *thing, const char *certificate, const char *key);
/**
 * The broker accepted a session with this slot. One on trial is then the one in use, and the old one is
 * erased. False: the session is to end, for the one on trial has attempts left.
 */
bool identity_accepted(uint8_t slot);
/** False when no identity could be stored: then none is to be asked for. */
bool identity_can_store(void);

enum rotation { ROTATION_NONE, ROTATION_ON_TRIAL, ROTATION_ACCEPTED, ROTATION_REFUSED };

/** How the last rotation stands. */
enum rotation identity_rotation(void);

#endif
