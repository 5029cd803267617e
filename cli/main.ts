#!/usr/bin/env node
/** The program: standard streams, colours, and what happens when something of ours breaks. */

import { writeSync } from 'node:fs'
import { ansi, plain } from '../src/report/paint.ts'
import type { Paint } from '../src/report/paint.ts'
import { EXIT } from './command.ts'
import type { Terminal } from './command.ts'
import { run } from './run.ts'
import { whyNotWritten } from './write-file.ts'

const terminal: Terminal = {
  out: text => void process.stdout.write(text),
  err: text => void process.stderr.write(text),
  paint: paintFor(process.stdout),
  paintErr: paintFor(process.stderr),
  directory: process.cwd(),
  environment: process.env,
  seconds: () => process.uptime(),
  ...(process.stdout.isTTY ? { outColumns: process.stdout.columns || 80 } : {}),
  ...(process.stderr.isTTY && process.env['TERM'] !== 'dumb' ? { errColumns: process.stderr.columns || 80 } : {}),
}

for (const stream of [process.stdout, process.stderr]) stream.on('error', quietWhenClosed)

try {
  process.exitCode = await run(process.argv.slice(2), terminal)
} catch (error) {
  reportBug(error)
}

/** `5x5 ... | head` closes the pipe early: that is no error; a full disk is one. */
function quietWhenClosed(error: Error): void {
  if ('code' in error && error.code === 'EPIPE') process.exit(EXIT.clean)
  if (!('code' in error)) throw error
  writeSync(2, `error: what is to be printed cannot be written: ${whyNotWritten(error)}\n`)
  process.exit(EXIT.usage)
}

/** Colours only where a human looks; NO_COLOR and FORCE_COLOR decide otherwise. */
function paintFor(stream: { readonly isTTY?: boolean }): Paint {
  const { NO_COLOR: no, FORCE_COLOR: force, TERM: term } = process.env
  if (force !== undefined && force !== '0' && force !== 'false') return ansi
  if ((no !== undefined && no !== '') || force !== undefined || term === 'dumb') return plain
  return stream.isTTY ? ansi : plain
}

function reportBug(error: unknown): void {
  const what = error instanceof RangeError && /call stack|string length|heap/i.test(error.message) ? `the input is too large: ${error.message}` : error instanceof Error ? error.message : String(error)
  process.stderr.write(`error: this is a bug in 5x5, not in your input: ${what}\n  FIVEBYFIVE_DEBUG=1 shows where it happened\n`)
  if ((process.env['FIVEBYFIVE_DEBUG'] ?? process.env['5X5_DEBUG']) && error instanceof Error) process.stderr.write(`${error.stack}\n`)
  process.exitCode = EXIT.bug
}
