/** Flags that may be given several times. */

import type { FlagValues } from '../command.ts'

/** Returns what was given for a flag, in order. */
export function flagTexts(values: FlagValues, name: string): readonly string[] {
  const value = values[name]
  return Array.isArray(value) ? value.map(String) : typeof value === 'string' ? [value] : []
}
