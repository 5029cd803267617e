/** Mappings with known keys: what readers of descriptions make of keys that they know, do not model, or never heard of. */

import type { Report } from '../diagnostics/diagnostic.ts'
import { didYouMean } from '../extensions/did-you-mean.ts'
import { complain, entriesOf } from '../yaml/yaml-reader.ts'
import type { YamlEntry, YamlValue } from '../yaml/yaml-reader.ts'

/** The keys of one place: read, of no matter for packets, and of matter but not read, with what is missing then. */
export interface KeyTable {
  readonly modelled: readonly string[]
  readonly harmless: readonly string[]
  readonly open: Readonly<Record<string, string>>
}

/** Where a reading notes what it meets. `ignored` collects keys that are of no matter for packets. */
export interface FieldNotes {
  readonly ignored: Set<string>
  readonly report: Report
}

/** Returns the entries of a mapping by key; complains of unknown keys and names those that are not modelled. Keys `x-...` are everybody's own. */
export function fieldsOf(value: YamlValue, what: string, table: KeyTable, { report, ignored }: FieldNotes): (key: string) => YamlEntry | undefined {
  const entries = entriesOf(value, what)
  for (const { key, keySpan } of entries) {
    const missing = table.open[key]
    if (missing !== undefined) report('not-modelled', 'note', keySpan, `\`${key}\` of ${what} is not modelled: ${missing}`)
    else if (table.harmless.includes(key)) ignored.add(key)
    else if (!table.modelled.includes(key) && !key.startsWith('x-')) {
      const known = [...table.modelled, ...table.harmless, ...Object.keys(table.open)].filter(name => !name.startsWith('x-'))
      complain(value.reader, 'unknown-key', keySpan, `\`${key}\` is not known in ${what}`, didYouMean(key, known) ?? (known.length > 12 ? undefined : `known are ${known.join(', ')}`))
    }
  }
  return key => entries.find(entry => entry.key === key)
}
