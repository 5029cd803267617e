/** The rulesets and sets that a namespace of a topology file has loaded: texts in the file, or files beside it. */

import type { SourceFile } from '../diagnostics/source-file.ts'
import type { Family } from '../net/address.ts'
import type { RulesetText } from './topology.ts'
import { blockSource, complain, isBlock, itemsOf, textOf } from '../yaml/yaml-reader.ts'
import type { YamlEntry, YamlValue } from '../yaml/yaml-reader.ts'

const FAMILIES: Readonly<Record<string, Family>> = { iptables: 'ipv4', ip6tables: 'ipv6' }

/** Reads the entries `iptables` and `ip6tables`: a text of several lines, the name of a file, or a list of both. */
export function readRulesetEntries(entries: readonly YamlEntry[]): readonly RulesetText[] {
  return entries.flatMap(({ key, value }) => {
    const family = FAMILIES[key]
    return family === undefined ? [] : itemsOf(value).flatMap(item => readRulesetText(item, family))
  })
}

/** Returns what a file that the value names has in it, undefined (and a complaint) where it cannot be read. */
export function readNamedFile(value: YamlValue, what: string): SourceFile | undefined {
  const path = textOf(value, what)
  const { reader } = value
  if (path === undefined) return undefined
  const source = reader.readFile ? reader.readFile(path) : 'files cannot be read here'
  if (typeof source !== 'string') return source
  complain(reader, 'unreadable-file', value.span, `\`${path}\`: ${source}`, 'the path is relative to this file; rules can stand here as well, as a block: `iptables: |`')
  return undefined
}

function readRulesetText(value: YamlValue, family: Family): readonly RulesetText[] {
  const source = isBlock(value) ? blockSource(value) : readNamedFile(value, 'a ruleset')
  return source ? [{ family, source, span: value.span }] : []
}
