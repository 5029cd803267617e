/** Trees of a policy and of what it includes -> one policy with all names looked up. Never throws. */

import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { positionAt } from '../diagnostics/source-file.ts'
import type { SourceFile, Span } from '../diagnostics/source-file.ts'
import { didYouMean } from '../extensions/did-you-mean.ts'
import { isTableName, TABLES } from '../ir/hooks.ts'
import type { IncludeNode, OptionNode, PolicyFile, RawNode, StatementNode, Word, ZoneNode } from './ast.ts'
import { complainTo } from './complain.ts'
import type { Complain } from './complain.ts'
import { commentOf } from './matches.ts'
import { collectNames } from './names.ts'
import type { Names } from './names.ts'
import { readDeferred, readOutline, readPolicy } from './read.ts'
import type { DeferredRules } from './read.ts'
import { resolveLog } from './resolve-clauses.ts'
import { resolveNat } from './resolve-nat.ts'
import { resolveBlock, resolveRule } from './resolve-rules.ts'
import { resolveTest } from './resolve-tests.ts'
import type { Assertion, DefaultVerdict, Origin, PolicyFrame, RawSentence, ResolvedPolicy, Sentence } from './resolved.ts'

/** Returns the text of an included file, or why it cannot be had. */
export type ReadInclude = (path: string, from: SourceFile) => SourceFile | { readonly problem: string }

/** A policy, and everything there is to say about its text. `value` is absent where the text has errors. */
export interface Resolved {
  readonly files: readonly PolicyFile[]
  readonly value?: ResolvedPolicy
  readonly diagnostics: readonly Diagnostic[]
}

/** A policy of which the rules are not looked at yet. */
export interface PolicyOutline {
  readonly files: readonly PolicyFile[]
  readonly frame: PolicyFrame
  /** Calls `visit` with one sentence after another, and returns what remains to be told; to be called once. */
  eachSentence(visit: (sentence: Sentence) => void): OutlineEnd
}

/** What all sentences have said. `assertions` are absent where the text has errors. */
export interface OutlineEnd {
  readonly assertions?: readonly Assertion[]
  readonly diagnostics: readonly Diagnostic[]
}

/** Reads a policy with what it includes, and looks all names up. */
export function resolvePolicy(source: SourceFile, readInclude: ReadInclude): Resolved {
  const { files, frame, eachSentence } = outline(source, readInclude, 'kept')
  const sentences: Sentence[] = []
  const { assertions, diagnostics } = eachSentence(sentence => sentences.push(sentence))
  return assertions ? { files, diagnostics, value: { ...frame, sentences, assertions } } : { files, diagnostics }
}

/** Reads all of a policy but its rules: a long one is mostly rules, and they need not all be there at once. `files` has none of their trees. */
export function outlinePolicy(source: SourceFile, readInclude: ReadInclude): PolicyOutline {
  return outline(source, readInclude, 'dropped')
}

function outline(source: SourceFile, readInclude: ReadInclude, trees: 'kept' | 'dropped'): PolicyOutline {
  const diagnostics: Diagnostic[] = []
  const complain = complainTo(diagnostics)
  const files: PolicyFile[] = []
  const placed: PlacedStatement[] = []
  readFiles({ source, name: lastPart(source.path), readInclude, diagnostics, complain, files, placed, trees, open: [] })
  const names = collectNames(only(placed, 'let'), only(placed, 'zone'), complain)
  const ofFrame: Diagnostic[] = []
  const frame = resolveFrame(placed, source, names, complainTo(ofFrame))
  const eachSentence = (visit: (sentence: Sentence) => void): OutlineEnd => {
    for (const { statement, file } of placed) {
      const resolve = (read: StatementNode): void => {
        for (const sentence of resolveStatement(read, file, names, complain)) visit(sentence)
      }
      if (statement.kind === 'deferred') readDeferred(file.source, statement, diagnostics, resolve)
      else resolve(statement)
    }
    const assertions = only(placed, 'test').flatMap(test => resolveTest(test, names, complain))
    diagnostics.push(...ofFrame)
    const isPartial = files.some(file => file.partial)
    // Of a test whose lines were not read it is not known what it asserts.
    if (isPartial) return { diagnostics: diagnostics.filter(({ severity }) => severity === 'error') }
    return diagnostics.some(({ severity }) => severity === 'error') ? { diagnostics } : { assertions, diagnostics }
  }
  return { files, frame, eachSentence }
}

function resolveFrame(placed: readonly PlacedStatement[], source: SourceFile, names: Names, complain: Complain): PolicyFrame {
  const defaultVerdict = resolveDefault(placed, source, complain)
  const managesAll = resolveOptions(only(placed, 'option'), complain)
  if (managesAll) checkOwnership(only(placed, 'zone'), complain)
  return { zones: [...names.zones.values()], defaultVerdict, managesAll, path: lastPart(source.path), span: { source, start: 0, end: 0 } }
}

interface PlacedStatement {
  readonly statement: StatementNode | DeferredRules
  readonly file: FileName
}

interface FileName {
  readonly name: string
  readonly source: SourceFile
  /** 0 is the policy itself. */
  readonly index: number
}

interface Reading {
  readonly source: SourceFile
  readonly name: string
  readonly readInclude: ReadInclude
  readonly diagnostics: Diagnostic[]
  readonly complain: Complain
  readonly files: PolicyFile[]
  readonly placed: PlacedStatement[]
  readonly trees: 'kept' | 'dropped'
  readonly open: readonly string[]
}

function readFiles(reading: Reading): void {
  const { source, diagnostics, files, placed, trees } = reading
  const outline = trees === 'dropped' ? readOutline(source) : undefined
  const whole = outline ? undefined : readPolicy(source)
  for (const diagnostic of (outline ?? whole)?.diagnostics ?? []) diagnostics.push(diagnostic)
  const value: PolicyFile = whole?.value ?? { kind: 'policy', source, statements: [], comments: [], partial: outline?.partial ?? false, span: { source, start: 0, end: source.text.length } }
  const file = { name: reading.name, source, index: files.push(value) - 1 }
  for (const statement of outline?.statements ?? value.statements) {
    if (statement.kind === 'include') readIncluded(statement, reading)
    else placed.push({ statement, file })
  }
}

function readIncluded({ path, span }: IncludeNode, reading: Reading): void {
  const { source, complain, open } = reading
  const found = path.text === '' ? { problem: 'the path is empty' } : reading.readInclude(path.text, source)
  if ('problem' in found) complain('include-failed', path.span, found.problem)
  else if (found.path === source.path || open.includes(found.path)) complain('include-failed', span, `\`${path.text}\` includes itself`)
  else readFiles({ ...reading, source: found, name: path.text, open: [...open, source.path] })
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function only<K extends StatementNode['kind']>(placed: readonly PlacedStatement[], kind: K): readonly Extract<StatementNode, { kind: K }>[] {
  const found: Extract<StatementNode, { kind: K }>[] = []
  for (const { statement } of placed) if (statement.kind === kind) found.push(statement as Extract<StatementNode, { kind: K }>)
  return found
}

function resolveStatement(statement: StatementNode, file: FileName, names: Names, complain: Complain): readonly Sentence[] {
  switch (statement.kind) {
    case 'rule': {
      const rule = resolveRule(statement, undefined, names, originOf(statement, file), complain)
      return rule ? [rule] : []
    }
    case 'block':
      return resolveBlock(statement, names, rule => originOf(rule, file), complain)
    case 'publish':
    case 'masquerade':
    case 'snat':
    case 'redirect': {
      const sentence = resolveNat(statement, names, originOf(statement, file), complain)
      return sentence ? [sentence] : []
    }
    case 'raw': {
      const raw = resolveRaw(statement, originOf(statement, file), complain)
      return raw ? [raw] : []
    }
    default:
      return []
  }
}

function originOf({ span, reason }: { readonly span: Span; readonly reason?: Word }, file: FileName): Origin {
  const { line } = positionAt(span.source, span.start)
  const place = `${file.name}:${line}`
  return { place, span, mark: file.index === 0 ? String(line) : `${file.index + 1}-${line}`, comment: commentOf(place, reason?.text) }
}

function resolveRaw(node: RawNode, origin: Origin, complain: Complain): RawSentence | undefined {
  const table = node.table.text
  if (isTableName(table)) {
    return {
      kind: 'raw', families: node.family ? [node.family] : ['ipv4', 'ipv6'], isForOneFamily: node.family !== undefined, table, chain: node.chain.text, place: node.place,
      rule: node.rule.text, ruleSpan: node.rule.span, origin,
    }
  }
  complain('unknown-table', node.table.span, `there is no table \`${table}\``, didYouMean(table, TABLES) ?? `the tables are ${TABLES.join(', ')}`)
  return undefined
}

function resolveDefault(placed: readonly PlacedStatement[], source: SourceFile, complain: Complain): DefaultVerdict {
  const defaults = placed.filter(({ statement }) => statement.kind === 'default').flatMap(({ statement, file }) => (statement.kind === 'default' ? [{ node: statement, file }] : []))
  const [first, second] = defaults
  if (first && second) complain('duplicate-clause', second.node.span, 'there are two defaults', 'a policy has one', { related: [{ span: first.node.span, message: 'the first is here' }] })
  if (!first) return { verdict: 'drop', origin: { place: lastPart(source.path), mark: '0', span: { source, start: 0, end: 0 }, comment: commentOf(lastPart(source.path), 'default') } }
  const { node } = first
  const log = node.log && resolveLog(node.log, complain)
  return { verdict: node.verdict, origin: originOf(node, first.file), ...(log ? { log } : {}) }
}

function resolveOptions(options: readonly OptionNode[], complain: Complain): boolean {
  let managesAll = false
  for (const { name, value } of options) {
    if (name.text !== 'manage') complain('bad-option', name.span, `there is no option \`${name.text}\``, didYouMean(name.text, ['manage']) ?? 'the option is `manage`')
    else if (value.text !== 'all' && value.text !== 'own') complain('bad-option', value.span, `\`manage\` cannot be \`${value.text}\``, didYouMean(value.text, ['all', 'own']) ?? 'it is `own` (chains of its own beside those of others) or `all` (whole tables)')
    else managesAll = value.text === 'all'
  }
  return managesAll
}

function checkOwnership(zones: readonly ZoneNode[], complain: Complain): void {
  const owned = zones.find(zone => zone.owner)
  if (owned) complain('docker-zone', owned.span, `zone \`${owned.name.text}\` is docker's, and \`option manage = all\` would throw docker's own rules away`, 'leave the option out: chains of its own stand beside those of docker')
}

