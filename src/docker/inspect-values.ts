/** Values in what an inspection prints, by their path. What is absent, null or empty is undefined. */

import { entriesOf, isEmpty, isMapping, textOf } from '../yaml/yaml-reader.ts'
import type { YamlEntry, YamlValue } from '../yaml/yaml-reader.ts'

/** Returns the value at a path. */
export function at(value: YamlValue, ...path: readonly string[]): YamlValue | undefined {
  let current: YamlValue | undefined = value
  for (const key of path) current = current && isMapping(current) ? entriesOf(current, 'an object').find(entry => entry.key === key)?.value : undefined
  return current && isEmpty(current) ? undefined : current
}

/** Returns a text at a path; an empty one is none. */
export function textAt(value: YamlValue, ...path: readonly string[]): string | undefined {
  const found = at(value, ...path)
  const text = found && textOf(found, `\`${path.at(-1)}\``)
  return text === '' ? undefined : text
}

/** Returns true or false at a path. */
export function flagAt(value: YamlValue, ...path: readonly string[]): boolean | undefined {
  const text = textAt(value, ...path)
  return text === undefined ? undefined : text === 'true'
}

/** Returns the entries of the object at a path. */
export function entriesAt(value: YamlValue, ...path: readonly string[]): readonly YamlEntry[] {
  const found = at(value, ...path)
  return found && isMapping(found) ? entriesOf(found, `\`${path.at(-1)}\``) : []
}
