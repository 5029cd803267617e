/** What REJECT can send. Source: extensions/libipt_REJECT.c, libip6t_REJECT.c reject_table; net/ipv6/netfilter/ip6t_REJECT.c reject_tg6(). */

import type { RejectAnswer } from '../meaning/effect.ts'
import { read, refuse } from './extension.ts'
import type { OptionType } from './extension.ts'
import { didYouMean } from './did-you-mean.ts'

interface RejectName {
  readonly alias: string
  readonly answer: RejectAnswer
}

const TCP_RESET: RejectAnswer = { kind: 'tcpReset' }

/** In the order in which abbreviations are tried: the first that fits is taken. */
const IPV4_ANSWERS: readonly RejectName[] = [
  icmp('icmp-net-unreachable', 'net-unreach', 3, 0), icmp('icmp-host-unreachable', 'host-unreach', 3, 1), icmp('icmp-proto-unreachable', 'proto-unreach', 3, 2),
  icmp('icmp-port-unreachable', 'port-unreach', 3, 3), icmp('icmp-net-prohibited', 'net-prohib', 3, 9), icmp('icmp-host-prohibited', 'host-prohib', 3, 10),
  { alias: 'tcp-rst', answer: TCP_RESET }, icmp('icmp-admin-prohibited', 'admin-prohib', 3, 13),
]

const IPV6_ANSWERS: readonly RejectName[] = [
  icmp('icmp6-no-route', 'no-route', 1, 0), icmp('icmp6-adm-prohibited', 'adm-prohibited', 1, 1), icmp('icmp6-addr-unreachable', 'addr-unreach', 1, 3),
  icmp('icmp6-port-unreachable', 'port-unreach', 1, 4), { alias: 'tcp-reset', answer: TCP_RESET },
  icmp('icmp6-policy-fail', 'policy-fail', 1, 5), icmp('icmp6-reject-route', 'reject-route', 1, 6),
]

/** What IPv4 REJECT sends. */
export const ipv4Answer = rejectAnswer(IPV4_ANSWERS)

/** What IPv6 REJECT sends. */
export const ipv6Answer = rejectAnswer(IPV6_ANSWERS)

function icmp(name: string, alias: string, type: number, code: number): RejectName {
  return { alias, answer: { kind: 'icmp', type, code, name } }
}

function nameOf(answer: RejectAnswer): string {
  return answer.kind === 'tcpReset' ? 'tcp-reset' : answer.name
}

function rejectAnswer(known: readonly RejectName[]): OptionType<RejectAnswer> {
  return {
    syntax: 'type', words: 1,
    read([word = '']) {
      const start = word.toLowerCase()
      const found = known.find(({ alias, answer }) => nameOf(answer).startsWith(start) || alias.startsWith(start))
      return found ? read(found.answer) : refuse(`there is no reject type \`${word}\``, didYouMean(word, known.flatMap(({ alias, answer }) => [nameOf(answer), alias])))
    },
    write: answer => [nameOf(answer)],
  }
}
