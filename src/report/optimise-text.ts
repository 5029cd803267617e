/** What was done to make a ruleset shorter, as text and as JSON. */

import type { NotTaken } from '../analyze/optimise/draft.ts'
import type { Dropped } from '../analyze/optimise/drop.ts'
import { writeIpsets } from '../analyze/optimise/make-ipsets.ts'
import type { Merged, Moved, Optimised, TableResult } from '../analyze/optimise/optimise.ts'
import { lineOf } from '../diagnostics/source-file.ts'
import type { Chain, Rule, Ruleset } from '../ir/ruleset.ts'
import type { Family } from '../net/address.ts'
import { writeRule } from '../save/write-rule.ts'
import { listInWords } from '../meaning/values-in-words.ts'
import { deadDiagnostic } from './dead-report.ts'
import { count } from './paint.ts'
import type { Paint } from './paint.ts'
import { placeOf, ruleText } from './rule-words.ts'

/** Of each kind of step so many are shown. */
const SHOWN = 10

/** One step in words: the lines it is about, the rule that is left or gone, and why. */
interface StepWords {
  readonly step: 'drop' | 'merge' | 'ipset' | 'order'
  readonly table: string
  readonly chain: string
  /** Line numbers of the rules, in order; empty for a chain that the text does not declare. */
  readonly lines: readonly number[]
  readonly place: string
  readonly rule: string
  readonly why: string
}

/** How a report is printed: `all` shows every step, `written` are the files that were written. */
export interface OptimiseView {
  readonly all: boolean
  readonly written: readonly string[]
}

/** Returns the report with a last sentence that answers. */
export function writeOptimised(result: Optimised, before: Ruleset, view: OptimiseView, paint: Paint): string {
  const steps = stepsOf(result)
  const parts = [
    section('dropped', steps.filter(({ step }) => step === 'drop'), view, paint),
    section('merged', steps.filter(({ step }) => step === 'merge'), view, paint),
    section('put into ipsets', steps.filter(({ step }) => step === 'ipset'), view, paint),
    section('moved up', steps.filter(({ step }) => step === 'order'), view, paint),
    leftSection(result.notTaken, view, paint),
    ...(steps.length === 0 ? [] : [costTable(result.tables, paint)]),
    ...(result.undecided.length === 0 ? [] : [result.undecided.map(what => `${paint('warning', 'too big')}: ${what} could not be decided within the memory that is allowed\n`).join('')]),
    view.written.length === 0 && result.ipsets.length > 0 ? `${paint('strong', 'ipset restore:')}\n${shortIpsets(result)}` : '',
    `${lastSentence(result, before, steps, view, paint)}\n`,
  ]
  return parts.filter(part => part !== '').join('\n')
}

/** Returns the result for JSON; `rules` is the text that iptables-restore takes. */
export function optimiseJson(result: Optimised, before: Ruleset, rules: string): object {
  return {
    rules, ipsets: writeIpsets(result.ipsets), rulesBefore: before.ruleCount, rulesAfter: result.ruleset.ruleCount,
    tables: result.tables.map(({ name, rulesBefore, rulesAfter, costBefore, costAfter }) => ({
      name, rulesBefore, rulesAfter, comparedBefore: { average: costBefore.average ?? null, most: costBefore.most }, comparedAfter: { average: costAfter.average ?? null, most: costAfter.most },
    })),
    steps: stepsOf(result),
    notTaken: result.notTaken.map(one => ({ table: one.chain.table, chain: one.chain.name, place: one.rule ? placeOf(one.rule) : null, why: notTakenWords(one) })),
    undecided: result.undecided,
  }
}

function stepsOf({ ruleset: { family }, dropped, merged, moved }: Optimised): readonly StepWords[] {
  return [...dropped.map(one => droppedWords(one, family)), ...merged.map(one => mergedWords(one, family)), ...moved.toSorted(byPackets).map(one => movedWords(one, family))]
}

function byPackets(one: Moved, other: Moved): number {
  return other.draft.packets - one.draft.packets
}

function about(chain: Chain): Pick<StepWords, 'table' | 'chain'> {
  return { table: chain.table, chain: chain.name }
}

function droppedWords(one: Dropped, family: Family): StepWords {
  if (one.kind === 'chain') {
    const why = one.jumps.length === 0 ? 'no rule jumps to it' : `what jumps to it can never match (line ${lineOf(one.jumps[0]?.rule.span ?? one.chain.rules[0]?.span ?? NO_SPAN)})`
    return { step: 'drop', ...about(one.chain), lines: one.chain.span ? [lineOf(one.chain.span)] : [], place: placeOf(one.chain), rule: `chain ${one.chain.name} with ${count(one.chain.rules.length, 'rule')}`, why }
  }
  const { rule, chain } = one.at
  const why = { emptyJump: 'the chain that it jumps to does nothing any more', lastReturn: 'the chain ends here anyway', rule: one.kind === 'rule' ? deadWords(one.finding, family) : '' }[one.kind]
  return { step: 'drop', ...about(chain), lines: [lineOf(rule.span)], place: placeOf(rule), rule: `-A ${chain.name} ${ruleText(rule)}`, why }
}

const NO_SPAN = { source: { path: '', text: '' }, start: 0, end: 0 }

/** The reason without what the heading says anyway. */
function deadWords(finding: Extract<Dropped, { kind: 'rule' }>['finding'], family: Family): string {
  const diagnostic = deadDiagnostic(finding, family)
  const related = diagnostic?.related[0]?.message
  return related !== undefined && related !== '' ? related : (diagnostic?.message.replace(/^this rule (can never match|changes nothing): /, '') ?? '')
}

function mergedWords({ chain, draft: { rule, from, joined }, ipset }: Merged, family: Family): StepWords {
  const what = `${from.length} rules that differ in their ${listInWords(joined, 'and')}`
  const why = ipset ? `${what}; ${ipset.set.name} is a ${ipset.set.type} of ${count(ipset.set.entries.length, 'entr').replace(/entr(s?)$/, (_, many: string) => (many ? 'entries' : 'entry'))}` : what
  const [first] = from
  return { step: ipset ? 'ipset' : 'merge', ...about(chain), lines: from.map(({ span }) => lineOf(span)), place: first ? `${first.span.source.path}:${linesInWords(from)}` : '', rule: `-A ${chain.name} ${writeRule(rule, family)}`, why }
}

/** Returns `3-5,9`: at most three such parts. */
function linesInWords(rules: readonly Rule[]): string {
  const runs: { first: number; last: number }[] = []
  for (const line of rules.map(({ span }) => lineOf(span))) {
    const run = runs.at(-1)
    if (run && line <= run.last + 1) run.last = line
    else runs.push({ first: line, last: line })
  }
  const words = runs.slice(0, 3).map(({ first, last }) => (first === last ? String(first) : `${first}-${last}`))
  return `${words.join(',')}${runs.length > 3 ? ',...' : ''}`
}

function movedWords({ chain, draft: { rule, from, packets }, before, passed }: Moved, family: Family): StepWords {
  const [first] = from
  return {
    step: 'order', ...about(chain), lines: from.map(({ span }) => lineOf(span)), place: first ? `${first.span.source.path}:${linesInWords(from)}` : '', rule: `-A ${chain.name} ${writeRule(rule, family)}`,
    why: `now before line ${lineOf(before.span)}: its ${count(packets, 'packet').replace(/^\d+/, number => Number(number).toLocaleString('en'))} ${packets === 1 ? 'is' : 'are'} not compared with ${count(passed, 'rule')} any more`,
  }
}

function section(title: string, steps: readonly StepWords[], { all }: OptimiseView, paint: Paint): string {
  if (steps.length === 0) return ''
  const shown = all ? steps : steps.slice(0, SHOWN)
  const more = steps.length > shown.length ? [`  ... and ${steps.length - shown.length} more (--all shows them)`] : []
  return `${paint('strong', `${title}:`)}\n${[...shown.map(({ place, rule, why }) => `  ${paint('place', place)}  ${rule}\n      ${paint('faint', why)}`), ...more].join('\n')}\n`
}

function leftSection(notTaken: readonly NotTaken[], { all }: OptimiseView, paint: Paint): string {
  if (notTaken.length === 0) return ''
  const shown = all ? notTaken : notTaken.slice(0, 4)
  const more = notTaken.length > shown.length ? [`  ... and ${notTaken.length - shown.length} more (--all shows them)`] : []
  return `${paint('strong', 'left as it is:')}\n${[...shown.map(one => `  ${paint('place', one.rule ? placeOf(one.rule) : one.chain.name)}  ${notTakenWords(one)}`), ...more].join('\n')}\n`
}

function notTakenWords({ why }: NotTaken): string {
  switch (why.kind) {
    case 'between':
      return `not merged with line ${lineOf(why.with.span)}: line ${lineOf(why.blocker.span)} between them would decide or see other packets`
    case 'shortcut':
      return 'other rules do the same with its packets, but it spares them most comparisons'
    case 'counted':
      return `other rules do the same with its packets, but without it line ${lineOf(why.by.span)} would count or remember them`
    default:
      return why.words
  }
}

function costTable(tables: readonly TableResult[], paint: Paint): string {
  const width = Math.max(...tables.map(({ name }) => name.length))
  const numbers = tables.map(({ rulesBefore, rulesAfter }) => `${rulesBefore} -> ${rulesAfter}`)
  const wide = Math.max('rules'.length, ...numbers.map(text => text.length))
  const rows = tables.map(({ name, costBefore, costAfter }, index) => {
    const [was, is] = [costBefore.average, costAfter.average]
    const words = was !== undefined && is !== undefined ? `${was.toFixed(1)} -> ${is.toFixed(1)} on average, by the counters` : `at most ${costBefore.most} -> ${costAfter.most} in a hook; no counters tell the average (iptables-save -c)`
    return `  ${name.padEnd(width)}  ${(numbers[index] ?? '').padEnd(wide)}  ${words}`
  })
  return `${paint('faint', `  ${''.padEnd(width)}  ${'rules'.padEnd(wide)}  rules that a packet is compared with`)}\n${rows.join('\n')}\n`
}

const IPSET_LINES = 12

function shortIpsets({ ipsets }: Optimised): string {
  const lines = writeIpsets(ipsets).trimEnd().split('\n')
  const more = lines.length > IPSET_LINES ? [`... and ${lines.length - IPSET_LINES} more lines (-o FILE writes them to FILE.ipset)`] : []
  return `${[...lines.slice(0, IPSET_LINES), ...more].map(line => `  ${line}\n`).join('')}`
}

function lastSentence({ ruleset, ipsets, moved, tables }: Optimised, before: Ruleset, steps: readonly StepWords[], { written }: OptimiseView, paint: Paint): string {
  if (before.ruleCount === 0) return 'Nothing to do: there are no rules.'
  if (steps.length === 0) return `Nothing to do: the ${count(before.ruleCount, 'rule')} ${before.ruleCount === 1 ? 'stays as it is' : 'stay as they are'}${tables.every(({ costBefore }) => costBefore.average === undefined) ? ' (no counters tell which take most packets: iptables-save -c)' : ''}.`
  const [was, is] = [before.ruleCount, ruleset.ruleCount]
  const done = was === is ? `The same ${count(is, 'rule')}, ${moved.length} of them moved up,` : `${count(is, 'rule')} instead of ${was}`
  const [file, ipsetFile] = written
  const where = file === undefined ? 'Nothing was written: -o FILE does.' : ipsets.length > 0 && ipsetFile !== undefined ? `Written to ${file}; load ${ipsetFile} first (\`ipset restore < ${ipsetFile}\`).` : `Written to ${file}.`
  return `${paint('good', 'Proved')}: ${done} ${was === is ? 'do' : is === 1 ? 'does' : 'do'} the same with every packet, log line and limit. ${where}`
}
