/** Every extension by name and family: an explicit list. */

import type { Family } from '../net/address.ts'
import type { MatchDefinition, TargetDefinition } from './extension.ts'
import { addrtype } from './matches/addrtype.ts'
import { ah, ah6 } from './matches/ah.ts'
import { bpf } from './matches/bpf.ts'
import { cgroup } from './matches/cgroup.ts'
import { cluster } from './matches/cluster.ts'
import { comment } from './matches/comment.ts'
import { connbytes } from './matches/connbytes.ts'
import { connlabel } from './matches/connlabel.ts'
import { connlimit } from './matches/connlimit.ts'
import { connmark } from './matches/connmark.ts'
import { conntrack } from './matches/conntrack.ts'
import { cpu } from './matches/cpu.ts'
import { dccp } from './matches/dccp.ts'
import { devgroup } from './matches/devgroup.ts'
import { dscp } from './matches/dscp.ts'
import { dst } from './matches/dst.ts'
import { ecn } from './matches/ecn.ts'
import { esp } from './matches/esp.ts'
import { eui64 } from './matches/eui64.ts'
import { frag } from './matches/frag.ts'
import { hashlimit } from './matches/hashlimit.ts'
import { hbh } from './matches/hbh.ts'
import { helper } from './matches/helper.ts'
import { hl } from './matches/hl.ts'
import { icmp } from './matches/icmp.ts'
import { icmp6 } from './matches/icmp6.ts'
import { ip } from './matches/ip.ts'
import { ipcomp } from './matches/ipcomp.ts'
import { iprange } from './matches/iprange.ts'
import { ipv6header } from './matches/ipv6header.ts'
import { ipvs } from './matches/ipvs.ts'
import { length } from './matches/length.ts'
import { limit } from './matches/limit.ts'
import { mac } from './matches/mac.ts'
import { mark } from './matches/mark.ts'
import { mh } from './matches/mh.ts'
import { multiport } from './matches/multiport.ts'
import { nfacct } from './matches/nfacct.ts'
import { osf } from './matches/osf.ts'
import { owner } from './matches/owner.ts'
import { physdev } from './matches/physdev.ts'
import { pkttype } from './matches/pkttype.ts'
import { policy } from './matches/policy.ts'
import { quota } from './matches/quota.ts'
import { rateest } from './matches/rateest.ts'
import { realm } from './matches/realm.ts'
import { recent } from './matches/recent.ts'
import { rpfilter } from './matches/rpfilter.ts'
import { rt } from './matches/rt.ts'
import { sctp } from './matches/sctp.ts'
import { set } from './matches/set.ts'
import { socket } from './matches/socket.ts'
import { srh } from './matches/srh.ts'
import { state } from './matches/state.ts'
import { statistic } from './matches/statistic.ts'
import { string } from './matches/string.ts'
import { tcp } from './matches/tcp.ts'
import { tcpmss } from './matches/tcpmss.ts'
import { time } from './matches/time.ts'
import { tos } from './matches/tos.ts'
import { ttl } from './matches/ttl.ts'
import { u32 } from './matches/u32.ts'
import { udp } from './matches/udp.ts'
import { auditTarget } from './targets/audit.ts'
import { checksumTarget } from './targets/checksum.ts'
import { classifyTarget } from './targets/classify.ts'
import { clusteripTarget } from './targets/clusterip.ts'
import { connmarkTarget } from './targets/connmark.ts'
import { connsecmarkTarget } from './targets/connsecmark.ts'
import { ctTarget, notrackTarget } from './targets/ct.ts'
import { dnatTarget } from './targets/dnat.ts'
import { dnptTarget } from './targets/dnpt.ts'
import { dscpTarget } from './targets/dscp.ts'
import { ecnTarget } from './targets/ecn.ts'
import { hlTarget } from './targets/hl.ts'
import { hmarkTarget } from './targets/hmark.ts'
import { idletimerTarget } from './targets/idletimer.ts'
import { ledTarget } from './targets/led.ts'
import { logTarget } from './targets/log.ts'
import { markTarget } from './targets/mark.ts'
import { masqueradeTarget } from './targets/masquerade.ts'
import { netmapTarget } from './targets/netmap.ts'
import { nflogTarget } from './targets/nflog.ts'
import { nfqueueTarget } from './targets/nfqueue.ts'
import { rateestTarget } from './targets/rateest.ts'
import { redirectTarget } from './targets/redirect.ts'
import { rejectTarget, rejectTarget6 } from './targets/reject.ts'
import { secmarkTarget } from './targets/secmark.ts'
import { setTarget } from './targets/set.ts'
import { snatTarget } from './targets/snat.ts'
import { snptTarget } from './targets/snpt.ts'
import { synproxyTarget } from './targets/synproxy.ts'
import { tcpmssTarget, tcpmssTarget6 } from './targets/tcpmss.ts'
import { tcpoptstripTarget } from './targets/tcpoptstrip.ts'
import { teeTarget } from './targets/tee.ts'
import { tosTarget } from './targets/tos.ts'
import { tproxyTarget, tproxyTarget6 } from './targets/tproxy.ts'
import { traceTarget } from './targets/trace.ts'
import { ttlTarget } from './targets/ttl.ts'
import { ulogTarget } from './targets/ulog.ts'
import { acceptTarget, dropTarget, queueTarget, returnTarget } from './targets/verdicts.ts'

/** All matches; `ip` stands for the options of ip itself. */
export const MATCHES: readonly MatchDefinition[] = [
  ip, addrtype, ah, ah6, bpf, cgroup, cluster, comment, connbytes, connlabel, connlimit, connmark, conntrack, cpu, dccp, devgroup, dscp,
  dst, ecn, esp, eui64, frag, hashlimit, hbh, helper, hl, icmp, icmp6, ipcomp, iprange, ipv6header, ipvs, length, limit, mac, mark, mh,
  multiport, nfacct, osf, owner, physdev, pkttype, policy, quota, rateest, realm, recent, rpfilter, rt, sctp, set, socket, srh, state,
  statistic, string, tcp, tcpmss, time, tos, ttl, u32, udp,
]

/** All targets; those that differ by family stand twice. */
export const TARGETS: readonly TargetDefinition[] = [
  acceptTarget, auditTarget, checksumTarget, classifyTarget, clusteripTarget, connmarkTarget, connsecmarkTarget, ctTarget, dnatTarget, dnptTarget,
  dropTarget, dscpTarget, ecnTarget, hlTarget, hmarkTarget, idletimerTarget, ledTarget, logTarget, markTarget, masqueradeTarget, netmapTarget,
  nflogTarget, nfqueueTarget, notrackTarget, queueTarget, rateestTarget, redirectTarget, rejectTarget, rejectTarget6, returnTarget, secmarkTarget,
  setTarget, snatTarget, snptTarget, synproxyTarget, tcpmssTarget, tcpmssTarget6, tcpoptstripTarget, teeTarget, tosTarget, tproxyTarget,
  tproxyTarget6, traceTarget, ttlTarget, ulogTarget,
]

const matchesByName = { ipv4: indexByName(MATCHES, 'ipv4'), ipv6: indexByName(MATCHES, 'ipv6') }
const targetsByName = { ipv4: indexByName(TARGETS, 'ipv4'), ipv6: indexByName(TARGETS, 'ipv6') }

/** Returns the match of a name or alias in a family, undefined where there is none. */
export function matchDefinition(name: string, family: Family): MatchDefinition | undefined {
  return matchesByName[family].get(name)
}

/** Returns the target of a name in a family, undefined where there is none. */
export function targetDefinition(name: string, family: Family): TargetDefinition | undefined {
  return targetsByName[family].get(name)
}

/** Returns the names of all matches of a family without `ip`, for "did you mean". */
export function matchNames(family: Family): readonly string[] {
  return [...matchesByName[family].keys()].filter(name => name !== 'ip')
}

/** Returns the names of all targets of a family, for "did you mean". */
export function targetNames(family: Family): readonly string[] {
  return [...targetsByName[family].keys()]
}

function indexByName<D extends MatchDefinition | TargetDefinition>(definitions: readonly D[], family: Family): ReadonlyMap<string, D> {
  const index = new Map<string, D>()
  for (const definition of definitions) {
    if (definition.families && !definition.families.includes(family)) continue
    index.set(definition.name, definition)
    if (definition.kind === 'match') for (const alias of definition.aliases ?? []) index.set(alias, definition)
  }
  return index
}
