/** What a command is, and what it may ask of the machine. */

import type { ParseArgsConfig } from 'node:util'
import type { Paint } from '../src/report/paint.ts'

/** How a command reaches the machine; tests give their own. */
export interface Terminal {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** Colours for standard output and standard error. */
  readonly paint: Paint
  readonly paintErr: Paint
  /** Paths are relative to it. */
  readonly directory: string
  /** Width of standard output where it is a terminal; absent elsewhere. */
  readonly outColumns?: number
  /** Width of standard error where it is a terminal; absent elsewhere. */
  readonly errColumns?: number
  /** Environment variables; absent where they must not count. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Seconds since the program began; absent where output must not tell the time. */
  readonly seconds?: () => number
}

/** The flags of a command, as node:util parseArgs takes them. */
export type Flags = NonNullable<ParseArgsConfig['options']>

/** What was given for the flags, by name. */
export type FlagValues = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>

/** A command. `help` is everything that `5x5 COMMAND --help` prints, before it is filled to the width of the terminal. */
export interface Command {
  readonly help: string
  readonly flags: Flags
  /** Words that may stand beside the flags, for completion; files always may. */
  readonly words?: () => Promise<readonly string[]>
  /** Returns the exit code. */
  readonly run: (values: FlagValues, words: readonly string[], terminal: Terminal) => Promise<number>
}

/** Exit codes. */
export const EXIT = { clean: 0, findings: 1, usage: 2, bug: 3 } as const

const COMMAND_ERROR = 'CommandError'

/** Returns an error for what the machine or the command line makes impossible: printed as one line, exit code 2. */
export function commandError(message: string, help?: string): Error {
  const error = new Error(help === undefined ? message : `${message}\n${help}`)
  error.name = COMMAND_ERROR
  return error
}

/** Tells whether something thrown is a `commandError`. */
export function isCommandError(thrown: unknown): thrown is Error {
  return thrown instanceof Error && thrown.name === COMMAND_ERROR
}
