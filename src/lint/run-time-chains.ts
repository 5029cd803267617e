/** Chains that programs create and fill while the host runs: in a saved or generated ruleset they may well be empty or without a jump, and needless rules are theirs. */

const NAMES = /^(DOCKER|KUBE-|cali-|CNI-|FLANNEL|LIBVIRT|LIBV|f2b-|fail2ban|ufw6?-|CROWDSEC|ISTIO|PROXY_INIT|ANTREA|WEAVE|MINIUPNPD|NETAVARK|cilium|CILIUM|OLD_CILIUM|ts-|tailscale|sshguard|IN_|FWD[IO]_|FWD_|OUT_|PRE_|POST_|INPUT_|FORWARD_|OUTPUT_|PREROUTING_|POSTROUTING_|input_|forwarding_|output_|prerouting_|postrouting_|zone_|delegate_|nat_reflection|tc(in|out|for|pre|post)$|dynamic$|(EXT|INT|DMZ|LAN|NAT|POST|HOST)_.*CHAIN$)/

/** Tells whether a program fills chains of this name at run time, as far as is known. */
export function fillsAtRunTime(chain: string): boolean {
  return NAMES.test(chain) || /[-_](user|custom|local|USER|CUSTOM|LOCAL|allow|deny|log|rule)$|^(user|custom|local)[-_]/.test(chain)
}

const ENGINES = /^(DOCKER(?!-USER$)|KUBE-|cali-|CNI-(?!ADMIN$)|LIBVIRT_|NETAVARK[-_]|CILIUM_|OLD_CILIUM_|FLANNEL-|ts-)/

/** Tells whether a container engine or its like writes every rule of a chain, as far as is known: a rule that is needless there comes again, and is not for the reader to mend. */
export function isWrittenByEngine({ name }: { readonly name: string }): boolean {
  return ENGINES.test(name)
}
