/** Source: iptables-extensions(8) "CLUSTERIP"; net/ipv4/netfilter/ipt_CLUSTERIP.c clusterip_tg(), removed in Linux 6.4; extensions/libipt_CLUSTERIP.c. */

import { macAddress } from '../address-types.ts'
import { didYouMean } from '../did-you-mean.ts'
import { defineTarget, read, refuse } from '../extension.ts'
import type { InfosOf, OptionType } from '../extension.ts'
import { flag, wholeNumber } from '../option-types.ts'

const MODES = ['sourceip', 'sourceip-sourceport', 'sourceip-sourceport-destport']
const PARTS = ['new', 'hashmode', 'clustermac', 'total-nodes', 'local-node'] as const

const hashMode: OptionType<string> = {
  syntax: 'mode', words: 1,
  read: ([word = '']) => (MODES.includes(word) ? read(word) : refuse(`there is no hash mode \`${word}\``, didYouMean(word, MODES))),
  write: mode => [mode],
}

const multicastMac: OptionType<bigint> = {
  ...macAddress,
  read(words, family) {
    const mac = macAddress.read(words, family)
    return mac.ok && ((mac.value >> 40n) & 1n) === 0n ? refuse(`\`${words[0]}\` is not a multicast address: the lowest bit of its first byte is 0`) : mac
  },
  write: mac => macAddress.write(mac, 'ipv4').map(word => word.toUpperCase()),
}

type Options = { new: true; hashmode: string; clustermac: bigint; 'total-nodes': number; 'local-node': number; 'hash-init': number }

/** Kernel: without --new it joins the cluster address of an earlier rule, and the save shows nothing else. */
export const clusteripTarget = defineTarget<Options>({
  name: 'CLUSTERIP',
  doc: 'shares an address between several hosts, each of which takes some of the connections',
  families: ['ipv4'],
  options: {
    new: { type: flag, doc: 'makes a new cluster address' },
    hashmode: { type: hashMode, requires: ['new'], doc: 'what the host is chosen by' },
    clustermac: { type: multicastMac, requires: ['new'], doc: 'multicast MAC address of the cluster' },
    'total-nodes': { type: wholeNumber(0, 16), requires: ['new'], doc: 'number of hosts' },
    'local-node': { type: wholeNumber(1, 16), requires: ['new'], doc: 'number of this host, from 1' },
    'hash-init': { type: wholeNumber(0, 0xffffffff), requires: ['new'], default: 0, doc: 'seed of the hash' },
  },
  savedBy: (_backend, infos) => (infos.new ? infos : undefined),
  does: () => [{ kind: 'notModelled', words: 'which host of the cluster takes the packet: it is taken to be this one' }],
  check: checkNew,
})

function checkNew(infos: InfosOf<Options>): string | undefined {
  const missing = infos.new ? PARTS.find(name => !infos[name]) : undefined
  if (missing !== undefined) return `a new cluster address needs \`--${missing}\``
  const { 'local-node': local, 'total-nodes': total } = infos
  return local && total && local.value > total.value ? `there is no host ${local.value} of ${total.value}` : undefined
}
