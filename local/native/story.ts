/** States of the firmware that a person wants to hear of, by their number in its log. */
const REPLAY = 6
const LIVE = 7
const SAFE = 8

/**
 * Turns one node's log into what a person wants to read: what is said at a line, or nothing. The
 * log has lines `<esp32_name> <level> <event> <value>`; it names each state, and a node that is
 * connected goes through "replay" for a moment at every reading.
 */
export function makeStory(esp32Name: string): (line: string) => string | undefined {
  let connected: boolean | undefined
  return (line) => {
    const [name, level, event, value] = line.split(' ')
    // libmosquitto or the C library complain in their own words.
    if (name !== esp32Name || event === undefined) return `${esp32Name}: ${line}`
    if (event !== 'state') {
      if (event === 'journal') return undefined
      return level === 'info' && event !== 'command_done'
        ? undefined
        : `${esp32Name}: ${event.replaceAll('_', ' ')}`
    }
    const state = Number(value)
    if (state === SAFE) return `${esp32Name}: its flash fails, its counter is invalid`
    const before = connected
    connected = state === REPLAY || state === LIVE
    if (connected === before || (!connected && before === undefined)) return undefined
    return `${esp32Name}: ${connected ? 'connected' : 'no broker, counts on'}`
  }
}
