/** How far a long run is: one line on standard error, where a human looks at it, and only when it takes its time. */

import type { Terminal } from './command.ts'

/** Seconds that a run may take without a word, and between two changes of the line. */
const PATIENCE = 1
const PACE = 0.1

/** Start of the line, and nothing behind it. */
const CLEAR_LINE = '\r\u001b[K'

/** A line that tells how far a run is. */
export interface Progress {
  /** Tells what comes next, `number` of `total`, counted from 1. */
  readonly step: (number: number, total: number, words: string) => void
  /** Takes the line away: before anything else is printed, and at the end. */
  readonly clear: () => void
}

/** Returns a line that shows itself on a terminal after a second; elsewhere one that never does. */
export function makeProgress({ err, errColumns, seconds }: Terminal): Progress {
  if (errColumns === undefined || seconds === undefined) return { step: () => undefined, clear: () => undefined }
  const width = errColumns - 1
  let next = seconds() + PATIENCE
  let isShown = false
  return {
    step(number, total, words) {
      if (seconds() < next) return
      next = seconds() + PACE
      isShown = true
      const line = total === 1 ? words : `${String(number).padStart(String(total).length)} of ${total}  ${words}`
      err(`${CLEAR_LINE}${line.slice(0, width)}`)
    },
    clear() {
      if (isShown) err(CLEAR_LINE)
      isShown = false
    },
  }
}

/** Returns a terminal that takes the line away before it prints. */
export function withoutProgress(terminal: Terminal, { clear }: Progress): Terminal {
  const clearing = (print: Terminal['out']): Terminal['out'] => text => {
    clear()
    print(text)
  }
  return { ...terminal, out: clearing(terminal.out), err: clearing(terminal.err) }
}
