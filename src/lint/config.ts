/** `fivebyfive.yaml`: levels of rules, for all files or by path, and what the linter is to know of the host. The schema ships as schemas/fivebyfive.schema.json. */

import { parseDocument } from 'yaml'
import { didYouMean } from '../extensions/did-you-mean.ts'
import type { Diagnostic, Severity } from '../diagnostics/diagnostic.ts'
import type { SourceFile } from '../diagnostics/source-file.ts'
import { readPrefix } from '../net/address.ts'
import type { Prefix } from '../net/address.ts'
import { complain, entriesOf, flagOf, itemsOf, numberOf, rootOf, textOf } from '../yaml/yaml-reader.ts'
import type { YamlReader, YamlValue } from '../yaml/yaml-reader.ts'
import { allCodes } from './describe-code.ts'
import { readKeepOpen } from './keep-open.ts'
import type { KeepOpen } from './keep-open.ts'
import type { Level } from './lint-rule.ts'
import { NO_CONFIG } from './settings.ts'
import type { LintConfig, PathSettings } from './settings.ts'

const KEYS = ['rules', 'paths', 'topology', 'trusted', 'keep-open', 'baseline', 'fail-on', 'max-warnings'] as const
const LEVELS: readonly Level[] = ['error', 'warning', 'note', 'off']

/** Reads a configuration. What is wrong is left out and told. */
export function readConfig(source: SourceFile): { readonly value: LintConfig; readonly diagnostics: readonly Diagnostic[] } {
  const document = parseDocument(source.text, { keepSourceTokens: false })
  const reader: YamlReader = { source, document, diagnostics: [] }
  for (const error of document.errors) complain(reader, 'bad-yaml', { source, start: error.pos[0], end: Math.max(error.pos[1], error.pos[0] + 1) }, (error.message.split('\n')[0] ?? '').replace(/[.:]$/, ''))
  if (document.errors.length > 0) return { value: NO_CONFIG, diagnostics: reader.diagnostics }
  const given = new Map(entriesOf(rootOf(reader), 'the configuration').map(entry => [entry.key, entry] as const))
  for (const { key, keySpan } of given.values()) if (!KEYS.some(known => known === key)) complain(reader, 'unknown-key', keySpan, `\`${key}\` is not known here`, didYouMean(key, KEYS) ?? `known are ${KEYS.join(', ')}`)
  const value = (key: (typeof KEYS)[number]): YamlValue | undefined => given.get(key)?.value
  const optional = <T>(key: (typeof KEYS)[number], read: (value: YamlValue) => T | undefined): T | undefined => {
    const there = value(key)
    return there ? read(there) : undefined
  }
  const topology = optional('topology', one => textOf(one, '`topology`'))
  const baseline = optional('baseline', one => textOf(one, '`baseline`'))
  const failOn = optional('fail-on', readFailOn)
  const maxWarnings = optional('max-warnings', one => numberOf(one, '`max-warnings`', 0, 1e9))
  return {
    value: {
      rules: readRules(value('rules')),
      paths: itemsOrNone(value('paths')).map(readPath),
      trusted: itemsOrNone(value('trusted')).flatMap(readTrusted),
      keepOpen: itemsOrNone(value('keep-open')).flatMap(readOpen),
      ...(topology === undefined ? {} : { topology }), ...(baseline === undefined ? {} : { baseline }), ...(failOn === undefined ? {} : { failOn }), ...(maxWarnings === undefined ? {} : { maxWarnings }),
    },
    diagnostics: reader.diagnostics,
  }
}

function itemsOrNone(value: YamlValue | undefined): readonly YamlValue[] {
  return value ? itemsOf(value) : []
}

function readRules(value: YamlValue | undefined): ReadonlyMap<string, Level> {
  const levels = new Map<string, Level>()
  if (!value) return levels
  for (const { key, keySpan, value: given } of entriesOf(value, '`rules`')) {
    if (!allCodes().some(code => code === key)) {
      complain(value.reader, 'unknown-key', keySpan, `there is no rule \`${key}\``, didYouMean(key, allCodes()) ?? '5x5 docs rules lists them')
      continue
    }
    const text = textOf(given, `the level of \`${key}\``)
    const level = text === 'false' ? 'off' : LEVELS.find(name => name === text)
    if (level) levels.set(key, level)
    else if (text !== undefined) complain(value.reader, 'bad-value', given.span, `\`${text}\` is not a level`, `the levels are ${LEVELS.join(', ')}`)
  }
  return levels
}

function readPath(value: YamlValue): PathSettings {
  const entries = entriesOf(value, 'an entry of `paths`')
  const find = (key: string): YamlValue | undefined => entries.find(entry => entry.key === key)?.value
  for (const { key, keySpan } of entries) if (!/^(files|ignore|rules)$/.test(key)) complain(value.reader, 'unknown-key', keySpan, `\`${key}\` is not known here`, 'known are files, ignore, rules')
  const files = itemsOrNone(find('files')).flatMap(one => textOf(one, '`files`') ?? [])
  if (files.length === 0) complain(value.reader, 'bad-value', value.span, 'this entry of `paths` names no `files`')
  const ignore = find('ignore')
  return { files, ignore: ignore ? (flagOf(ignore, '`ignore`') ?? false) : false, rules: readRules(find('rules')) }
}

function readTrusted(value: YamlValue): readonly Prefix[] {
  const text = textOf(value, '`trusted`')
  const prefix = text === undefined ? undefined : readPrefix(text)
  if (text !== undefined && !prefix) complain(value.reader, 'bad-value', value.span, `\`${text}\` is not an address or prefix`)
  return prefix ? [prefix] : []
}

function readOpen(value: YamlValue): readonly KeepOpen[] {
  const text = textOf(value, '`keep-open`')
  const reading = text === undefined ? undefined : readKeepOpen(text)
  if (reading && !reading.ok) complain(value.reader, 'bad-value', value.span, `\`${text ?? ''}\` cannot be read`, reading.problem)
  return reading?.ok ? [reading.value] : []
}

function readFailOn(value: YamlValue): Severity | undefined {
  const text = textOf(value, '`fail-on`')
  const severity = (['error', 'warning', 'note'] as const).find(name => name === text)
  if (!severity && text !== undefined) complain(value.reader, 'bad-value', value.span, `\`${text}\` is not a level`, 'the levels are error, warning, note')
  return severity
}
