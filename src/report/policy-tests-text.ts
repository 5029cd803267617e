/** The assertions of a policy as a human reads them: what was proved, and of what was not a packet, its way, and the line that decided. */

import { positionAt, textOf } from '../diagnostics/source-file.ts'
import type { Span } from '../diagnostics/source-file.ts'
import type { Finding, TestedAssertion } from '../analyze/policy-tests.ts'
import { writeProbe } from '../packet/write-packet.ts'
import type { Decider } from '../symbolic/fate.ts'
import { count } from './paint.ts'
import type { Paint, Style } from './paint.ts'

/** Returns the text of a packet's way through the rules. */
export type TraceText = (finding: Extract<Finding, { readonly probe: unknown }>) => string

/** Returns all findings by test, and a last line that answers. */
export function writePolicyTests(tested: readonly TestedAssertion[], traceText: TraceText, paint: Paint): string {
  const names = [...new Set(tested.map(({ assertion }) => assertion.test))]
  const width = Math.max(0, ...tested.map(({ assertion }) => placeText(assertion.span).length))
  const blocks = names.map(name => [paint('strong', name), ...tested.filter(({ assertion }) => assertion.test === name).flatMap(one => writeOne(one, width, traceText, paint)), ''].join('\n'))
  return `${blocks.join('\n')}\n${summary(tested, paint)}\n`
}

const WORDS: Readonly<Record<Finding['kind'], string>> = { holds: 'proved', fails: 'FAILS', unsure: 'cannot tell', vacuous: 'says nothing' }
const STYLES: Readonly<Record<Finding['kind'], Style>> = { holds: 'good', fails: 'error', unsure: 'warning', vacuous: 'warning' }
const LONGEST = 'says nothing'.length

function writeOne({ assertion, finding }: TestedAssertion, width: number, traceText: TraceText, paint: Paint): readonly string[] {
  const head = `  ${paint(STYLES[finding.kind], WORDS[finding.kind].padEnd(LONGEST))}  ${placeText(assertion.span).padEnd(width)}  ${textOf(assertion.span).replaceAll(/\s+/g, ' ')}`
  const indent = ' '.repeat(LONGEST + 4)
  switch (finding.kind) {
    case 'holds':
      return [finding.withinLimits.length === 0 ? head : `${head}\n${indent}${paint('faint', `as long as the limit of ${[...new Set(finding.withinLimits.map(rule => placeText(rule.span)))].join(' and ')} is kept`)}`]
    case 'vacuous':
      return [head, `${indent}${finding.why}`]
    case 'unsure':
      return [head, `${indent}it hangs on ${finding.words.map(words => `\`${words}\``).join(' and ')}, for example of this packet:`, '', traceText(finding)]
    default:
      return [head, `${indent}for example ${writeProbe(finding.probe, { brief: true })}`, `${indent}${finding.words}${deciderText(finding.by)}`, '', traceText(finding)]
  }
}

function deciderText(by: Decider | undefined): string {
  if (!by) return ''
  if (by.kind === 'kernel') return `: ${by.reason}`
  if (by.kind === 'policy') return ` by the chain policy of ${by.chain.name}: no rule decides it`
  const isOfPolicy = by.rule.span.end > by.rule.span.start
  return ` by ${by.chain.name} rule ${by.number}${isOfPolicy ? `, made of ${placeText(by.rule.span)}  ${textOf(by.rule.span).replaceAll(/\s+/g, ' ')}` : ''}`
}

function placeText({ source, start }: Span): string {
  return `${source.path.slice(source.path.lastIndexOf('/') + 1)}:${positionAt(source, start).line}`
}

function summary(tested: readonly TestedAssertion[], paint: Paint): string {
  const number = (kind: Finding['kind']): number => tested.filter(({ finding }) => finding.kind === kind).length
  const others = (['fails', 'unsure', 'vacuous'] as const).filter(kind => number(kind) > 0)
  if (tested.length === 0) return `${paint('warning', 'Nothing is asserted')}: the policy has no test.`
  if (others.length === 0) return `${paint('good', 'Proved')}: ${tested.length === 1 ? 'the assertion holds' : `all ${count(tested.length, 'assertion')} hold`} for every packet.`
  const words = { fails: (many: number) => `${many} of ${count(tested.length, 'assertion')} ${many === 1 ? 'fails' : 'fail'}`, unsure: (many: number) => `${many} cannot be told`, vacuous: (many: number) => `${many} ${many === 1 ? 'says' : 'say'} nothing` }
  return `${paint(number('fails') > 0 ? 'error' : 'warning', number('fails') > 0 ? 'Failed' : 'Not proved')}: ${others.map(kind => words[kind](number(kind))).join(', ')}; ${number('holds')} proved.`
}
