#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "linux_node.h"

static const char usage[] =
    "autovolt-node --name NAME --host HOST --port PORT --cafile FILE --cert FILE --key FILE --flash FILE\n"
    "  --period-ms N          period of readings (30000)\n"
    "  --channels ID:W,…      names and rated watts, up to 8 (light-1:36,fan-1:72,projector:285)\n"
    "  --mode relay|meter     what counts: rated power and on-time, or a simulated PZEM-004T (relay)\n"
    "  --telemetry-rule RULE  publish telemetry by Basic Ingest\n"
    "  --seed N               of the people who use the switches, and of the loads (1)\n"
    "  --backdate-seconds N   the clock of a new node begins N seconds ago and catches up\n"
    "  --speed N              virtual seconds in a real one while it catches up (1)\n"
    "  --offline-until-now    no network while it catches up\n"
    "  --for-seconds N        end after N real seconds (else on SIGTERM or SIGINT)\n"
    "  --cut-after-acks N     power cut: kill -9 of itself at the Nth acknowledgement (0: never)\n"
    "  --drain-seconds N      wait for acknowledgements at the end (10)\n"
    "  --flash-sectors N      4 to 256 sectors of 4 KiB (256)\n"
    "  --with-parent          end when the process that started it ends\n"
    "  --quiet                no log on standard error\n"
    "Without --cafile, --cert and --key the connection is plain TCP, for a broker on the same machine.\n"
    "On SIGUSR1 and at the end one line of JSON tells counter, truth and backlog.\n";

static void refuse(const char *what, const char *value)
{
  fprintf(stderr, "autovolt-node: %s: %s\n%s", what, value, usage);
  exit(2);
}

static uint64_t number(const char *option, const char *text, uint64_t least, uint64_t most)
{
  char *end = NULL;
  uint64_t value = strtoull(text, &end, 10);
  if (text[0] < '0' || text[0] > '9' || *end != 0 || value < least || value > most) {
    char limits[96];
    snprintf(limits, sizeof limits, "--%s must be %llu to %llu", option, (unsigned long long)least, (unsigned long long)most);
    refuse(limits, text);
  }
  return value;
}

/* "light-1:36,fan-1:72": through the same parser as a configuration by command. */
static void read_channels(struct configuration *c, char *text)
{
  static struct json json;
  static char command[2048];
  int length = snprintf(command, sizeof command, "{\"channels\":[");
  for (char *item = strtok(text, ","); item != NULL; item = strtok(NULL, ",")) {
    char *colon = strrchr(item, ':');
    if (colon == NULL) refuse("--channels must be ID:W,…", item);
    *colon = 0;
    length += snprintf(command + length, sizeof command - (size_t)length, "%s{\"device_id\":\"%s\",\"rated_w\":%s}",
                       command[length - 1] == '[' ? "" : ",", item, colon + 1);
    if (length >= (int)sizeof command) refuse("--channels is too long", item);
  }
  length += snprintf(command + length, sizeof command - (size_t)length, "]}");
  const char *reason = "--channels is no list of names and watts";
  if (length < (int)sizeof command && json_parse(&json, command, (uint32_t)length)) reason = configuration_parse(c, &json, 0);
  if (reason) refuse("--channels", reason);
}

static void read_member(struct configuration *c, const char *name, const char *value)
{
  static struct json json;
  char text[256];
  int length = snprintf(text, sizeof text, "{\"%s\":\"%s\"}", name, value);
  const char *reason = "not accepted";
  if (length < (int)sizeof text && json_parse(&json, text, (uint32_t)length)) reason = configuration_parse(c, &json, 0);
  if (reason) refuse(name, reason);
}

void options_read(struct options *o, int argc, char **argv)
{
  enum { NAME, HOST, PORT, CAFILE, CERT, KEY, FLASH, PERIOD, CHANNELS, MODE, RULE, SEED, BACKDATE, SPEED, OFFLINE, FOR, DRAIN, CUT, SECTORS, PARENT, QUIET, HELP };
  static const struct option known[] = {
      {"name", 1, NULL, NAME},           {"host", 1, NULL, HOST},       {"port", 1, NULL, PORT},
      {"cafile", 1, NULL, CAFILE},       {"cert", 1, NULL, CERT},       {"key", 1, NULL, KEY},
      {"flash", 1, NULL, FLASH},         {"period-ms", 1, NULL, PERIOD}, {"channels", 1, NULL, CHANNELS},
      {"mode", 1, NULL, MODE},           {"telemetry-rule", 1, NULL, RULE}, {"seed", 1, NULL, SEED},
      {"backdate-seconds", 1, NULL, BACKDATE}, {"speed", 1, NULL, SPEED}, {"offline-until-now", 0, NULL, OFFLINE},
      {"for-seconds", 1, NULL, FOR},     {"drain-seconds", 1, NULL, DRAIN}, {"flash-sectors", 1, NULL, SECTORS}, {"cut-after-acks", 1, NULL, CUT},
      {"with-parent", 0, NULL, PARENT},  {"quiet", 0, NULL, QUIET},     {"help", 0, NULL, HELP}, {NULL, 0, NULL, 0}};
  char channels[] = "light-1:36,fan-1:72,projector:285";
  *o = (struct options){.host = "127.0.0.1", .port = 8883, .flash_sectors = 256, .seed = 1, .speed = 1, .drain_ms = 10000};
  o->factory = configuration_default();
  read_channels(&o->factory, channels);
  for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
    switch (option) {
    case NAME: o->name = optarg; break;
    case HOST: o->host = optarg; break;
    case PORT: o->port = (int)number("port", optarg, 1, 65535); break;
    case CAFILE: o->cafile = optarg; break;
    case CERT: o->cert = optarg; break;
    case KEY: o->key = optarg; break;
    case FLASH: o->flash = optarg; break;
    case PERIOD: o->factory.period_ms = (uint32_t)number("period-ms", optarg, 50, PERIOD_MAX_MS); break;
    case CHANNELS: read_channels(&o->factory, optarg); break;
    case MODE: read_member(&o->factory, "mode", optarg); break;
    case RULE: read_member(&o->factory, "telemetry_rule", optarg); break;
    case SEED: o->seed = number("seed", optarg, 0, UINT32_MAX); break;
    case BACKDATE: o->backdate_ms = number("backdate-seconds", optarg, 0, 315576000) * 1000; break;
    case SPEED: o->speed = (uint32_t)number("speed", optarg, 1, 1000000); break;
    case OFFLINE: o->offline_until_now = true; break;
    case FOR: o->for_ms = number("for-seconds", optarg, 1, 315576000) * 1000; break;
    case DRAIN: o->drain_ms = (uint32_t)number("drain-seconds", optarg, 0, 3600) * 1000; break;
    case CUT: o->cut_after_acks = (uint32_t)number("cut-after-acks", optarg, 0, UINT32_MAX); break;
    case SECTORS: o->flash_sectors = (uint32_t)number("flash-sectors", optarg, JOURNAL_SECTORS_MIN, JOURNAL_SECTORS_MAX); break;
    case PARENT: o->with_parent = true; break;
    case QUIET: o->quiet = true; break;
    case HELP: printf("%s", usage); exit(0);
    default: exit(2);
    }
  }
  if (optind < argc) refuse("unknown argument", argv[optind]);
  if (o->name == NULL || strlen(o->name) >= NAME_BYTES) refuse("--name must be 1 to 128 characters", o->name ? o->name : "(none)");
  if (o->flash == NULL) refuse("--flash is missing", "a file that holds the journal");
  if ((o->cafile != NULL) != (o->cert != NULL) || (o->cert != NULL) != (o->key != NULL))
    refuse("TLS needs all of", "--cafile, --cert, --key");
}
