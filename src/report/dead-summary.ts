/** The last sentence about what does nothing: how many rules and chains can go, why, and what could not be decided. */

import type { DeadReport } from '../analyze/dead.ts'
import { listInWords } from '../meaning/values-in-words.ts'
import { count } from './paint.ts'
import type { Paint } from './paint.ts'

/** The ruleset that was looked through; `seconds` that it took, absent where output must not tell the time. */
export interface DeadSize {
  readonly path: string
  readonly ruleCount: number
  readonly partial: boolean
  readonly seconds?: number
}

type Said = Pick<DeadReport, 'findings' | 'undecided' | 'notes'>

/** Returns the last lines: `3 of 16 rules in firewall.rules can go: 2 can never match, 1 changes nothing (0.12 s)`, then what is left open. */
export function deadSummary(report: Said, size: DeadSize, paint: Paint): string {
  const policies = report.findings.filter(({ kind }) => kind === 'unusedPolicy').length
  const time = size.seconds === undefined ? '' : ` (${size.seconds.toFixed(2)} s)`
  return [
    `${whatCanGo(report, size, paint)}${policies === 0 ? '' : `; ${policies === 1 ? '1 chain policy decides' : `${policies} chain policies decide`} nothing`}${time}`,
    ...(report.undecided.length === 0 ? [] : [`${paint('warning', 'not decided')}, for it needs more memory or steps than are allowed: ${report.undecided.join('; ')}`]),
    ...report.notes,
    ...(size.partial ? ['partial: lines that could not be read are left out, so there may be more to say'] : []),
  ].map(line => `${line}\n`).join('')
}

function whatCanGo({ findings, undecided, notes }: Said, { path, ruleCount, partial }: DeadSize, paint: Paint): string {
  if (ruleCount === 0 && partial) return `no rule could be read in ${path}`
  const dead = new Set(findings.flatMap(finding => ('at' in finding && finding.kind !== 'redundant' ? [finding.at.rule.id] : [])))
  const never = dead.size
  const same = findings.filter(finding => finding.kind === 'redundant' && !dead.has(finding.at.rule.id)).length
  const chains = findings.flatMap(finding => (finding.kind === 'unreachableChain' && finding.chain.span ? [finding.chain] : []))
  const idle = chains.reduce((sum, { rules }) => sum + rules.length, 0)
  const rules = never + same + idle
  if (rules + chains.length === 0) return nothingCanGo([...undecided, ...notes], path, ruleCount, paint)
  const what = listInWords([...(rules === 0 ? [] : [`${rules} of ${count(ruleCount, 'rule')}`]), ...(chains.length === 0 ? [] : [count(chains.length, 'chain')])], 'and')
  const why = [
    ...(never === 0 ? [] : [{ number: never, why: 'can never match' }]),
    ...(same === 0 ? [] : [{ number: same, why: same === 1 ? 'changes nothing' : 'change nothing' }]),
    ...(idle === 0 ? [] : [{ number: idle, why: idle === 1 ? 'stands where no packet comes' : 'stand where no packet comes' }]),
  ]
  const only = why.length === 1 ? why[0] : undefined
  const reasons = only ? `${only.number === 1 ? 'it' : 'they'} ${only.why}` : why.map(reason => `${reason.number} ${reason.why}`).join(', ')
  return `${paint('warning', what)} in ${path} can go: ${reasons === '' ? `no packet comes to ${chains.length === 1 ? 'it' : 'them'}` : reasons}`
}

function nothingCanGo(open: readonly string[], path: string, ruleCount: number, paint: Paint): string {
  if (ruleCount === 0) return `there is no rule in ${path}`
  if (open.length > 0) return `no rule was found that can go among the ${ruleCount} of ${path}`
  return `${paint('good', ruleCount === 1 ? 'the only rule does something' : `all ${ruleCount} rules do something`)} in ${path}`
}
