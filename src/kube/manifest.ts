/** Kubernetes objects in YAML or JSON: several documents in a file, lists within them. */

import { fieldsOf } from '../draft/fields.ts'
import type { FieldNotes } from '../draft/fields.ts'
import { reportMissing } from '../draft/required.ts'
import { listOf } from '../draft/values.ts'
import { entryNamed, textOf } from '../yaml/yaml-reader.ts'
import type { YamlValue } from '../yaml/yaml-reader.ts'
import { LIST_KEYS } from './manifest-keys.ts'

/** An object with what every object has. */
export interface Manifest {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly value: YamlValue
}

/** Returns the objects of a document, those of a list one by one; complains of what has neither kind nor name. `known` is the kind of objects that do not say it. */
export function manifestsOf(value: YamlValue, notes: FieldNotes, known?: string): readonly Manifest[] {
  const kind = readText(value, 'kind') ?? known
  if (kind === undefined) {
    reportMissing(value, 'an object', 'kind')
    return []
  }
  if (kind.endsWith('List')) return listOf(fieldsOf(value, `a ${kind}`, LIST_KEYS, notes)('items')?.value, '`items`').flatMap(item => manifestsOf(item, notes, kind === 'List' ? undefined : kind.slice(0, -'List'.length)))
  const metadata = entryNamed(value, 'metadata')?.value
  const name = metadata && readText(metadata, 'name')
  if (name === undefined && NAMED.has(kind)) {
    reportMissing(metadata ?? value, `a ${kind}`, metadata ? 'name' : 'metadata')
    return []
  }
  return [{ kind, name: name ?? '', namespace: (metadata && readText(metadata, 'namespace')) ?? 'default', value }]
}

/** Returns a label; undefined where the object does not have it. */
export function labelOf({ value }: Manifest, label: string): string | undefined {
  const labels = entryNamed(value, 'metadata') && entryNamed(entryNamed(value, 'metadata')?.value ?? value, 'labels')
  return labels && readText(labels.value, label)
}

/** Returns the text of a key, undefined where it is absent; complains where it is none. */
export function readText(value: YamlValue, key: string): string | undefined {
  const entry = entryNamed(value, key)
  return entry && textOf(entry.value, `\`${key}\``)
}

/** Objects whose name is needed. */
const NAMED = new Set(['Service', 'EndpointSlice', 'Node'])
