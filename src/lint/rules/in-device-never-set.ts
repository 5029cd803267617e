/** `-i` and `-o` with devices that packets do not have there: in user chains that only hooks without such a device reach, and ports of bridges. */

import type { Span } from '../../diagnostics/source-file.ts'
import { eachRule } from '../../ir/ruleset.ts'
import { adoptingRule } from '../adopt.ts'
import type { LintInputs, LintRule } from '../lint-rule.ts'
import { optionOf } from '../rule-facts.ts'

const adopted = adoptingRule(
  {
    id: 'in-device-never-set', severity: 'warning', what: 'the rule asks for a device that packets do not have here',
    why: 'a packet that this host makes has no device of arrival, and one that arrives has no device of departure yet: the rule loads and never matches',
  },
  ({ code, severity }) => code === 'misplaced-device' && severity === 'warning',
)

export const inDeviceNeverSet: LintRule = {
  ...adopted,
  check(inputs, report) {
    adopted.check(inputs, report)
    for (const { span, port, bridge } of rulesForPorts(inputs)) {
      report({
        span, message: `no packet has \`-i ${port}\`: it is a port of bridge \`${bridge}\``, why: 'what comes in by a port of a bridge has the bridge as its device, for iptables too: the rule loads and never matches',
        help: `write \`-i ${bridge}\`; where the port matters add \`-m physdev --physdev-in ${port}\``,
      })
    }
  },
}

/** Rules with `-i` for a device that the topology says is a port of a bridge. */
function rulesForPorts({ ruleset, topology }: LintInputs): readonly { readonly span: Span; readonly port: string; readonly bridge: string }[] {
  const bridgeOf = new Map(topology?.namespaces[0]?.devices.flatMap(({ name, master }) => (master === undefined ? [] : [[name, master]])))
  const found: { readonly span: Span; readonly port: string; readonly bridge: string }[] = []
  if (bridgeOf.size === 0) return found
  eachRule(ruleset, rule => {
    const use = optionOf(rule, 'ip', 'in-interface')
    const port = (use?.value as { readonly name: string; readonly prefix: boolean } | undefined)
    const bridge = port && !port.prefix && !use?.inverted ? bridgeOf.get(port.name) : undefined
    if (port && bridge !== undefined) found.push({ span: rule.span, port: port.name, bridge })
  })
  return found
}
