/** Tells people what the campus does, without drowning the terminal. */
export interface Announcer {
  say(line: string): void
  /** To be called regularly; prints what has come together when it is time. */
  tick(nowMs: number): void
}

const AT_MOST_EVERY_MS = 4_000
const AT_ONCE = 3

/** What comes within a few seconds shares one line, joined by ` · `; the rest waits for the next. */
export function makeAnnouncer(log: (line: string) => void): Announcer {
  const waiting: string[] = []
  let saidAtMs = Number.NEGATIVE_INFINITY
  return {
    say: (line) => {
      if (!waiting.includes(line)) waiting.push(line)
    },
    tick: (nowMs) => {
      if (waiting.length === 0 || nowMs - saidAtMs < AT_MOST_EVERY_MS) return
      saidAtMs = nowMs
      log(waiting.splice(0, AT_ONCE).join(' · '))
    },
  }
}
