/** The flags that tell kube-proxy what its own would. */

import type { ProxyOptions } from '../../src/kube/model.ts'
import { detectorOf } from '../../src/kube/read-options.ts'
import { readAddress } from '../../src/net/address.ts'
import type { Address, Prefix } from '../../src/net/address.ts'
import { prefixAround, readAddressWithLength } from '../../src/net/prefix-math.ts'
import { commandError } from '../command.ts'
import type { Flags, FlagValues } from '../command.ts'

/** The flags. */
export const PROXY_FLAGS = {
  node: { type: 'string' }, 'node-ip': { type: 'string' }, 'cluster-cidr': { type: 'string' }, 'nodeport-addresses': { type: 'string' },
  'masquerade-all': { type: 'boolean' }, 'no-localhost-nodeports': { type: 'boolean' },
} as const satisfies Flags

/** Returns what the flags say; what cannot be read is a `commandError`. */
export function readProxyFlags(values: FlagValues): Partial<ProxyOptions> {
  const { node, 'node-ip': addresses, 'cluster-cidr': cluster, 'nodeport-addresses': ports } = values
  return {
    ...(typeof node === 'string' ? { nodeName: node } : {}),
    ...(typeof addresses === 'string' ? { nodeAddresses: addresses.split(',').map(readOne) } : {}),
    ...(typeof cluster === 'string' ? { detector: detectorOf(readPrefixes(cluster, '--cluster-cidr')) } : {}),
    ...(typeof ports === 'string' ? { nodePortPrefixes: readPrefixes(ports, '--nodeport-addresses') } : {}),
    ...(values['masquerade-all'] === true ? { masqueradeAll: true } : {}),
    ...(values['no-localhost-nodeports'] === true ? { localhostNodePorts: false } : {}),
  }
}

function readOne(text: string): Address {
  const address = readAddress(text)
  if (address === undefined) throw commandError(`\`${text}\` of \`--node-ip\` is not an address`, 'for example `--node-ip 192.0.2.10,2001:db8::10`')
  return address
}

function readPrefixes(text: string, flag: string): readonly Prefix[] {
  return text.split(',').map(part => {
    const subnet = readAddressWithLength(part)
    if (!subnet) throw commandError(`\`${part}\` of \`${flag}\` is not a subnet`, 'write it with the length of its prefix, such as 10.244.0.0/16')
    return prefixAround(subnet.address, subnet.length)
  })
}
