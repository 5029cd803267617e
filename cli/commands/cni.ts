/** `5x5 cni NETWORK...` */

import { generateRules } from '../../src/cni/generate.ts'
import { readNetworks } from '../../src/cni/read-networks.ts'
import { networkSizes, writeNetworks } from '../../src/report/network-text.ts'
import { commandError, EXIT } from '../command.ts'
import type { Command } from '../command.ts'
import { readBase } from '../docker/host-rules.ts'
import { DOCKER_FILES } from '../docker/rule-files.ts'
import { readFamily, readSources } from '../input.ts'
import { refuseRulesets } from '../wrong-file.ts'
import { flagTexts } from '../network/flag-texts.ts'
import { generatedRules } from '../network/generated-rules.ts'
import { printRules } from '../network/print-rules.ts'
import { rulesJson } from '../network/rules-json.ts'

const help = `5x5 cni writes the rules that container network plugins write on a host, without running any.

usage: 5x5 cni [flags] NETWORK... [--pods PODS]

  --pods PODS            the pods in the order in which they come (may be given several times)
  --base RULES           rules that the host had before (may be given twice, for IPv4 and IPv6): those of the plugins are written into them
  -o, --output DIR       write DIR/${DOCKER_FILES.ipv4} and DIR/${DOCKER_FILES.ipv6} instead of printing them
  --family ipv4|ipv6     print the rules of one family only
  --explain              print networks, pods, published ports, and why every rule is there
  --all                  show every finding, however many there are of a kind
  --json                 print {"rules": {"ipv4": {"text", "rules": [...]}, "ipv6": ...}, "assumptions", "files"}

A NETWORK is, in JSON or YAML:
  a configuration list of CNI with the plugins \`bridge\`, \`firewall\` and \`portmap\`; its pods may be its \`x-containers\`
  what flanneld is told: \`network\`, \`ipv6Network\`, \`ipMasq\`, \`iptablesForwardRules\`, and this node's \`lease: {subnet, ipv6Subnet}\`
  networks of podman with netavark: \`NAME: {subnet, interface, isolate, containers: {NAME: {ip, ports: ["8080:80/tcp"]}}}\`
  a node with calico: \`felix: {ipipEnabled, ...}\`, \`ippool\`, \`workloads: [{namespace, pod, profiles, policies}]\`, \`networkPolicies\`
Several are written one after the other, in the order given. PODS is a list of \`{name, id, network, addresses, portMappings}\`; a
port mapping is \`{hostPort, containerPort, protocol, hostIP}\`. Pods without addresses get those that host-local would give.

examples:
  5x5 cni podnet.conflist --pods pods.yaml --family ipv4 | 5x5 explain -
  5x5 cni flannel.yaml podnet.conflist --pods pods.yaml -o rules
  iptables-save > host.rules && 5x5 cni podnet.conflist --pods pods.yaml --base host.rules --explain

exit code: 0 no error and no warning, 1 some, 2 a file cannot be read
`

/** The command. */
export const cni: Command = {
  help,
  flags: {
    pods: { type: 'string', multiple: true }, base: { type: 'string', multiple: true }, output: { type: 'string', short: 'o' }, family: { type: 'string' },
    explain: { type: 'boolean' }, all: { type: 'boolean' }, json: { type: 'boolean' },
  },
  async run(values, words, terminal) {
    if (words.length === 0) throw commandError('which network?', 'usage: 5x5 cni NETWORK... --pods PODS')
    const sources = readSources(words, terminal.directory)
    refuseRulesets(sources, 'a network', 'rules that the host had before are given with `--base`')
    const reading = readNetworks(sources, readSources(flagTexts(values, 'pods'), terminal.directory))
    const base = readBase(flagTexts(values, 'base'), terminal.directory)
    const rules = generatedRules((family, before) => generateRules(reading.value, family, before), { base, family: readFamily(values['family']) })
    const { diagnostics, ignored } = reading
    if (values['json'] === true) terminal.out(`${JSON.stringify(rulesJson(rules, diagnostics), undefined, 2)}\n`)
    else printRules({ rules, isEmpty: rules.length === 0, diagnostics, ignored, values, assumptions: [], title: 'plugins', overview: writeNetworks(reading.value, terminal.paint), summary: networkSizes(reading.value) }, terminal)
    if (diagnostics.some(({ code }) => code === 'bad-yaml')) return EXIT.usage
    return diagnostics.some(({ severity }) => severity !== 'note') ? EXIT.findings : EXIT.clean
  },
}
