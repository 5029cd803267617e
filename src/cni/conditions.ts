/** `conditionsV4` and `conditionsV6`: words of an iptables command that every entry rule of portmap has too. */

import type { MatchUse } from '../ir/ruleset.ts'
import type { Family } from '../net/address.ts'
import { readRuleset } from '../save/read.ts'
import { complain, itemsOf, textOf } from '../yaml/yaml-reader.ts'
import type { YamlValue } from '../yaml/yaml-reader.ts'

/** Returns the matches that the words say; complains where they are none. */
export function readConditions(value: YamlValue | undefined, family: Family): readonly MatchUse[] {
  if (!value) return []
  const words = itemsOf(value).flatMap(item => textOf(item, 'a condition') ?? [])
  if (words.length === 0) return []
  const text = `*nat\n-A PREROUTING ${words.map(quote).join(' ')}\nCOMMIT\n`
  const { value: ruleset, diagnostics } = readRuleset([{ path: value.reader.source.path, text }], { family })
  const [error] = diagnostics.filter(({ severity }) => severity === 'error')
  if (error) complain(value.reader, 'bad-value', value.span, `iptables does not take these conditions: ${error.message}`)
  return error ? [] : (ruleset.tables.flatMap(({ chains }) => chains).flatMap(({ rules }) => rules)[0]?.matches ?? [])
}

function quote(word: string): string {
  return /^[\w.:/!,-]+$/.test(word) ? word : `"${word.replace(/["\\]/g, '\\$&')}"`
}
