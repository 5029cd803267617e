/** A machine for 5x5 snapshot to look at: a gateway, a bridge with two containers, rules of both backends, all in namespaces of its own. */

import { spawnSync } from 'node:child_process'

/** The namespaces' names; they begin with `prefix`. */
export interface SnapshotLab {
  readonly gateway: string
  readonly web: string
  readonly db: string
}

const COMMANDS = `
ip netns add GW
ip netns add WEB
ip netns add DB
ip -n GW link add br0 address 02:42:00:00:00:b0 type bridge
ip -n GW link add vweb address 02:42:00:00:00:11 type veth peer name eth0 address 02:42:ac:14:00:02 netns WEB
ip -n GW link add vdb address 02:42:00:00:00:12 type veth peer name eth0 address 02:42:ac:14:00:03 netns DB
ip -n GW link add wan address 02:42:00:00:00:01 type veth peer name wan-far address 02:42:00:00:00:02
ip -n GW link set vweb master br0
ip -n GW link set vdb master br0
ip -n GW link set vdb type bridge_slave hairpin on
ip -n GW link set wan mtu 1400
ip -n GW link set lo up
ip -n GW link set br0 up
ip -n GW link set vweb up
ip -n GW link set vdb up
ip -n GW link set wan up
ip -n WEB link set lo up
ip -n WEB link set eth0 up
ip -n DB link set eth0 up
ip -n GW address add 172.20.0.1/24 dev br0
ip -n GW address add 203.0.113.10/24 dev wan
ip -n GW address add 203.0.113.11/24 dev wan
ip -n GW address add 2001:db8:1::1/64 dev wan nodad
ip -n WEB address add 172.20.0.2/24 dev eth0
ip -n DB address add 172.20.0.3/24 dev eth0
ip -n GW route add default via 203.0.113.1 dev wan
ip -n GW route add 10.8.0.0/16 via 203.0.113.2 dev wan table 100 metric 5
ip -n GW route add blackhole 10.9.0.0/16
ip -n GW route add 10.7.0.0/16 nexthop via 203.0.113.3 dev wan nexthop via 203.0.113.4 dev wan
ip -n GW -6 route add default via 2001:db8:1::ff dev wan
ip -n WEB route add default via 172.20.0.1
ip -n GW rule add fwmark 0x1/0x1 lookup 100 priority 1000
ip -n GW rule add not from 172.16.0.0/12 iif br0 unreachable priority 900
ip -n GW -6 rule add fwmark 0x2 lookup 100 priority 1001
ip -n GW neigh add 172.20.0.2 lladdr 02:42:ac:14:00:02 dev br0 nud permanent
bridge -n GW fdb replace 02:42:ac:14:00:02 dev vweb master static
ip netns exec GW sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.wan.rp_filter=2 net.ipv4.conf.br0.route_localnet=1
ip netns exec GW ipset create allowed hash:net
ip netns exec GW ipset add allowed 198.51.100.0/24
ip netns exec GW iptables-legacy -t nat -A POSTROUTING -s 172.20.0.0/24 -o wan -j MASQUERADE
ip netns exec GW iptables-legacy -A INPUT -m set --match-set allowed src -p tcp --dport 22 -j ACCEPT
ip netns exec GW iptables-legacy -P INPUT DROP
ip netns exec WEB iptables-nft -A INPUT -p tcp --dport 5432 -j REJECT
`

/** Makes the namespaces; throws where a command fails. */
export function makeSnapshotLab(prefix: string): SnapshotLab {
  const lab = { gateway: `${prefix}gw`, web: `${prefix}web`, db: `${prefix}db` }
  for (const line of COMMANDS.split('\n').filter(one => one !== '')) {
    const command = line.replace(/\bGW\b/, lab.gateway).replace(/\bWEB\b/, lab.web).replace(/\bDB\b/, lab.db)
    const { status, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8' })
    if (status !== 0) throw new Error(`\`${command}\` failed: ${stderr}`)
  }
  return lab
}

/** Removes the namespaces. */
export function removeSnapshotLab(prefix: string): void {
  for (const name of ['gw', 'web', 'db']) spawnSync('ip', ['netns', 'delete', `${prefix}${name}`])
}
