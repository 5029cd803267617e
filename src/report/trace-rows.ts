/** A trace as rows of a table: hook, table or chain, place in a file, what happened, remark. */

import type { Family } from '../net/address.ts'
import { writeAddress } from '../net/address.ts'
import type { ChainPlace, RulePlace, Trace, TraceEvent } from '../simulate/trace-events.ts'
import { count } from './paint.ts'
import type { Style } from './paint.ts'
import { connectionInWords, routeInWords } from './route-words.ts'
import { changesInWords, packetText, placeOf, ruleText } from './rule-words.ts'
import { eventsThatMatter, hasUnknownTarget } from './trace-matters.ts'
import { missInWords } from './miss-words.ts'

/** A row; one without chain and place has its text right behind the first column. */
export interface TraceRow {
  readonly hook: string
  readonly chain: string
  readonly place: string
  readonly text: string
  readonly note?: string
  readonly style?: Style
  /** It names the namespace of the rows that follow. */
  readonly isHeading?: boolean
}

/** How much to tell: `all` adds what decided nothing and what did not match; `decisive` are the assumptions that are told in any case. */
export interface RowOptions {
  readonly all: boolean
  readonly decisive: ReadonlySet<string>
}

interface RowState {
  readonly options: RowOptions
  readonly matters: ReadonlySet<TraceEvent>
  readonly rows: TraceRow[]
  readonly family: Family
  hook: string
  chain: string
  skipped: Extract<TraceEvent, { kind: 'rule' }>[]
  /** The table that the last row belongs to. */
  table: string
}

/** Returns the rows of a trace in order. */
export function traceRows(trace: Trace, options: RowOptions): readonly TraceRow[] {
  const state: RowState = { options, matters: eventsThatMatter(trace.events), rows: [], family: trace.outcome.packet.family, hook: '', chain: '', skipped: [], table: '' }
  const { from, to } = options.all ? NO_LOOPS : loopsBetween(trace.events)
  for (const [index, event] of trace.events.entries()) {
    if (index === from) tellLoops(state, trace.events.slice(from, to))
    if (index < from || index >= to) tell(state, event)
  }
  tellSkipped(state)
  return state.rows
}

const NO_LOOPS = { from: Infinity, to: Infinity }

/** The events of all times over lo between the first three and the last, where these are many. */
function loopsBetween(events: readonly TraceEvent[]): { readonly from: number; readonly to: number } {
  const loops = events.flatMap(({ kind }, index) => (kind === 'loop' ? [index] : []))
  const [from, to] = [loops[3], loops.at(-1)]
  return loops.length > 5 && from !== undefined && to !== undefined ? { from, to } : NO_LOOPS
}

function tellLoops(state: RowState, events: readonly TraceEvent[]): void {
  tellSkipped(state)
  const times = events.filter(({ kind }) => kind === 'loop').length
  push(state, { hook: '', chain: '', place: '', text: `... and so ${count(times, 'time')} more (--all shows them)`, style: 'faint' })
}

function tell(state: RowState, event: TraceEvent): void {
  if (event.kind === 'rule' && !state.options.all && !state.matters.has(event)) return void state.skipped.push(event)
  if (event.kind !== 'return' && event.kind !== 'miss') tellSkipped(state)
  switch (event.kind) {
    case 'arrive':
      return push(state, { hook: `arrives on ${event.port ?? event.device}`, chain: '', place: '', text: packetText(event.packet), style: 'strong', ...(event.port === undefined ? {} : { note: `bridge ${event.device}` }) })
    case 'make':
      return push(state, { hook: 'made on the host', chain: '', place: '', text: packetText(event.packet), style: 'strong' })
    case 'table':
      return
    case 'rule':
      return tellRule(state, event)
    case 'miss':
      return pushRule(state, event.place, 'faint', missInWords(event, state.family))
    case 'policy':
      return tellPolicy(state, event.place, event.policy)
    case 'rewrite':
      return tellRewrite(state, event)
    case 'assumption':
      if (state.options.all || state.options.decisive.has(event.key)) pushRule(state, event.place, 'warning', `assumed: ${event.words} ${event.value ? 'matches' : 'does not match'}`)
      return
    default:
      return tellOther(state, event)
  }
}

type OtherEvent = Exclude<TraceEvent, { kind: 'arrive' | 'make' | 'table' | 'rule' | 'miss' | 'policy' | 'rewrite' | 'assumption' }>

function tellOther(state: RowState, event: OtherEvent): void {
  switch (event.kind) {
    case 'conntrack':
      return tellConntrack(state, event)
    case 'natSkipped':
      if (state.options.all) pushStep(state, event.hook, 'nat', `not asked: ${NAT_SKIPPED[event.why]}`, 'faint')
      return
    case 'nat':
      if (!event.by) pushStep(state, event.hook, 'nat', `source port taken: ${writeAddress(event.binding.address)}${event.binding.port === undefined ? '' : `, port ${event.binding.port}`} instead`)
      else if (event.binding.choice) push(state, { hook: '', chain: '', place: '', text: CHOICES[event.binding.choice.why], style: 'note' })
      return
    case 'route':
      state.hook = state.table = ''
      return push(state, { hook: 'routing', chain: '', place: '', text: routeInWords(event.decision, event.why) })
    case 'loop':
      state.hook = state.table = ''
      return push(state, { hook: `over ${event.device}`, chain: '', place: '', text: 'and in again' })
    case 'answer':
      return push(state, { hook: 'answer', chain: '', place: '', text: packetText(event.packet), note: answerNote(event.trace) })
    case 'copy':
      state.hook = state.table = ''
      return push(state, { hook: `copy to ${event.port}`, chain: '', place: '', text: packetText(event.trace.outcome.packet), note: answerNote(event.trace) })
    case 'fragment':
      return pushStep(state, event.hook, 'conntrack', event.isWhole ? `the last of ${event.came} fragments: from here on they are one packet` : 'a fragment: it waits for the rest of its packet')
    case 'notModelled':
      return push(state, { hook: 'not modelled', chain: '', place: '', text: event.words, style: 'warning' })
    case 'return':
    case 'confirm':
      return
  }
}

const NAT_SKIPPED = { 'known connection': 'its answer for this connection is known', invalid: 'the packet is invalid', untracked: 'the packet is not tracked', related: 'the packet is related to another connection' } as const

const CHOICES = { random: 'the kernel chooses at random: this is one possible choice', clash: 'the port was taken: this is one possible choice' } as const

function answerNote(trace: Trace): string {
  const { outcome } = trace
  return 'device' in outcome ? (outcome.kind === 'local' ? 'delivered on this host' : `leaves by ${outcome.device}`) : outcome.kind === 'drop' ? 'is dropped on its way' : outcome.kind
}

function tellConntrack(state: RowState, event: Extract<TraceEvent, { kind: 'conntrack' }>): void {
  const words = connectionInWords(event.ctState, event.connection, event.why)
  const first = state.rows.at(-1)
  if (state.rows.length === 1 && first && first.note === undefined) state.rows[0] = { ...first, note: words }
  else pushStep(state, event.hook, 'conntrack', words)
}

function tellRule(state: RowState, event: Extract<TraceEvent, { kind: 'rule' }>): void {
  const { result, place } = event
  const isEmpty = (result.kind === 'jump' || result.kind === 'goto') && result.chain.rules.length === 0
  const note = hasUnknownTarget(event) ? 'not known: taken to do nothing' : isEmpty ? '(empty, returns)' : event.observed ?? (result.kind === 'jump' && !state.options.all && !state.matters.has(event) ? '(returns)' : undefined)
  const style = hasUnknownTarget(event) ? 'warning' : result.kind === 'drop' || result.kind === 'reject' ? 'error' : result.kind === 'accept' && place.table === 'filter' ? 'good' : undefined
  pushRule(state, place, style, note)
}

function pushRule(state: RowState, place: RulePlace, style: Style | undefined, note?: string): void {
  const chain = place.depth === 0 ? place.table : `${indent(place.depth)}${place.chain.name}`
  pushIn(state, place.hook, chain, place.table, { place: placeOf(place.rule), text: ruleText(place.rule), ...(note === undefined ? {} : { note }), ...(style ? { style } : {}) })
}

/** Rulesets of generators nest deeply: the chain's name stays in sight. */
function indent(depth: number): string {
  return ' '.repeat(Math.min(depth, 12))
}

function tellPolicy(state: RowState, place: ChainPlace, policy: string): void {
  const isQuiet = policy === 'ACCEPT' && place.table !== 'filter' && !state.options.all
  if (isQuiet || (place.chain.span === undefined && place.chain.rules.length === 0)) return
  pushIn(state, place.hook, place.table, place.table, { place: placeOf(place.chain), text: `chain policy ${policy}`, style: policy === 'DROP' ? 'error' : place.table === 'filter' ? 'good' : 'faint' })
}

function tellRewrite(state: RowState, event: Extract<TraceEvent, { kind: 'rewrite' }>): void {
  const changes = changesInWords(event.changes, event.packet)
  const last = state.rows.at(-1)
  if (event.by.kind === 'forwarding' && last?.hook === 'routing') {
    state.rows[state.rows.length - 1] = { ...last, note: changes.join(', ') }
    return
  }
  const isNews = event.by.kind === 'nat' && !(state.table === 'nat' && state.hook === event.by.hook)
  for (const text of changes) {
    if (event.by.kind === 'nat' && isNews) pushStep(state, event.by.hook, 'nat', text, 'note', 'as for the whole connection')
    else push(state, { hook: '', chain: '', place: '', text, style: 'note' })
  }
}

function tellSkipped(state: RowState): void {
  const { skipped } = state
  if (skipped.length === 0) return
  state.skipped = []
  const [only] = skipped
  if (skipped.length === 1 && only) return tellRule(state, only)
  const place = skipped[0]?.place
  const allJump = skipped.every(({ result }) => result.kind === 'jump' || result.kind === 'goto')
  if (place) pushIn(state, place.hook, place.depth === 0 ? place.table : `${indent(place.depth)}${place.chain.name}`, place.table, { place: '', text: `... ${count(skipped.length, allJump ? 'jump' : 'rule')} that decided nothing (--all shows them)`, style: 'faint' })
}

function pushStep(state: RowState, hook: string, chain: string, text: string, style?: Style, note?: string): void {
  pushIn(state, hook, chain, chain, { place: '', text, ...(style ? { style } : {}), ...(note === undefined ? {} : { note }) })
}

/** Adds a row; hook and chain are told where they change. */
function pushIn(state: RowState, hook: string, chain: string, table: string, row: Omit<TraceRow, 'hook' | 'chain'>): void {
  const isSameHook = state.hook === hook
  state.rows.push({ hook: isSameHook ? '' : hook, chain: isSameHook && state.chain === chain ? '' : chain, ...row })
  state.hook = hook
  state.chain = chain
  state.table = table
}

function push(state: RowState, row: TraceRow): void {
  state.rows.push(row)
}

