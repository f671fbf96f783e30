#ifndef AUTOVOLT_SETTINGS_H
#define AUTOVOLT_SETTINGS_H

/** Opens NVS, and never erases it. When it cannot be read the node runs without: the journal alone holds the counter then. */
void settings_start(void);

#endif
