/** Keys that must be there. */

import { complain, textOf } from '../yaml/yaml-reader.ts'
import type { YamlEntry, YamlValue } from '../yaml/yaml-reader.ts'

/** Returns the text of a key; complains at the mapping where it is missing. */
export function requiredText(entry: YamlEntry | undefined, mapping: YamlValue, what: string, key: string): string | undefined {
  if (entry) return textOf(entry.value, `\`${key}\``)
  reportMissing(mapping, what, key)
  return undefined
}

/** Complains that a mapping lacks a key. */
export function reportMissing(mapping: YamlValue, what: string, key: string): void {
  complain(mapping.reader, 'missing-key', { ...mapping.span, end: Math.min(mapping.span.end, mapping.span.start + 1) }, `${what} has no \`${key}\``)
}
