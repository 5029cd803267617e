/** `-i` and `-o` where a packet has no such device. */

import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { Hook } from '../ir/hooks.ts'
import type { Chain, OptionUse, Rule } from '../ir/ruleset.ts'
import type { DevicePattern } from '../net/device-name.ts'
import { matchDefinition } from './registry.ts'
import { placeOfOption } from './word-place.ts'

interface DeviceOption {
  readonly option: 'in-interface' | 'out-interface'
  readonly letter: string
  /** Hooks where the packet has no such device. */
  readonly without: readonly Hook[]
  readonly why: string
}

const DEVICE_OPTIONS: readonly DeviceOption[] = [
  { option: 'out-interface', letter: '-o', without: ['PREROUTING', 'INPUT'], why: 'the packet has no device of departure there' },
  { option: 'in-interface', letter: '-i', without: ['OUTPUT', 'POSTROUTING'], why: 'the packet has no device of arrival there' },
]

/**
 * Returns an error for what iptables refuses: the option in a chain of that name, whatever it says, even `-o +`; and a warning for a user chain
 * that only such hooks reach: it loads and never matches. Source: iptables/xshared.c do_parse() "Can't use -o with".
 */
export function checkDevices(rule: Rule, chain: Chain, hooks: readonly Hook[]): Diagnostic[] {
  const ip = rule.matches[0]
  if (ip?.name !== 'ip' || (!ip.infos['in-interface'] && !ip.infos['out-interface'])) return []
  return DEVICE_OPTIONS.flatMap(row => {
    const use = ip.infos[row.option]
    if (!use) return []
    if (row.without.some(hook => hook === chain.name)) return [misplaced(rule, row, 'error', `\`${row.letter}\` cannot stand in ${chain.name}`, row.why)]
    if (hooks.length === 0 || !hooks.every(hook => row.without.includes(hook)) || !needsDevice(use)) return []
    return [misplaced(rule, row, 'warning', `this rule can never match: only ${hooks.join(' and ')} ${hooks.length === 1 ? 'reaches' : 'reach'} chain \`${chain.name}\``, `${row.why}, so \`${row.letter}\` fails`)]
  })
}

function needsDevice(use: OptionUse): boolean {
  const pattern = use.value as DevicePattern
  return !use.inverted && pattern.name !== ''
}

function misplaced(rule: Rule, row: DeviceOption, severity: 'error' | 'warning', message: string, help: string): Diagnostic {
  const definition = matchDefinition('ip', 'ipv4')
  return { code: 'misplaced-device', severity, message, span: definition ? placeOfOption(rule, definition, row.option) : rule.span, help, related: [] }
}
