/** Source: iptables-extensions(8) "REJECT"; net/ipv4/netfilter/ipt_REJECT.c reject_tg(), net/ipv6/netfilter/ip6t_REJECT.c reject_tg6(). */

import type { Effect, RejectAnswer } from '../../meaning/effect.ts'
import { PROTOCOL } from '../../net/protocol.ts'
import { defineTarget } from '../extension.ts'
import type { InfosOf, OptionType, Surroundings } from '../extension.ts'
import { ipv4Answer, ipv6Answer } from '../reject-types.ts'

/** REJECT of iptables. */
export const rejectTarget = rejectOf('ipv4', ipv4Answer, { kind: 'icmp', type: 3, code: 3, name: 'icmp-port-unreachable' })

/** REJECT of ip6tables. */
export const rejectTarget6 = rejectOf('ipv6', ipv6Answer, { kind: 'icmp', type: 1, code: 4, name: 'icmp6-port-unreachable' })

/** Kernel: an ICMP answer is sent to the address the packet came from, at most at the rate that the host allows; then the packet is dropped. */
function rejectOf(family: 'ipv4' | 'ipv6', answer: OptionType<RejectAnswer>, usual: RejectAnswer) {
  return defineTarget({
    name: 'REJECT',
    doc: 'drops the packet and tells the sender',
    families: [family],
    tables: ['filter'],
    hooks: ['INPUT', 'FORWARD', 'OUTPUT'],
    options: {
      'reject-with': { type: answer, default: usual, doc: `what is sent; ${answer.write(usual, family).join('')} where it is not given` },
    },
    does: (infos): readonly Effect[] => [{ kind: 'reject', with: infos['reject-with']?.value ?? usual }, { kind: 'verdict', verdict: 'drop' }],
    check: resetNeedsTcp,
  })
}

function resetNeedsTcp(infos: InfosOf<{ 'reject-with': RejectAnswer }>, { protocol }: Surroundings): string | undefined {
  const isTcp = protocol !== undefined && protocol.number === PROTOCOL.tcp && !protocol.inverted
  return infos['reject-with']?.value.kind === 'tcpReset' && !isTcp ? '`--reject-with tcp-reset` needs `-p tcp`' : undefined
}
