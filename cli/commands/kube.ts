/** `5x5 kube OBJECTS...` */

import { generateRules } from '../../src/kube/generate.ts'
import { readCluster } from '../../src/kube/read-cluster.ts'
import { writeServices } from '../../src/report/network-text.ts'
import { count } from '../../src/report/paint.ts'
import { commandError, EXIT } from '../command.ts'
import type { Command } from '../command.ts'
import { readBase } from '../docker/host-rules.ts'
import { DOCKER_FILES } from '../docker/rule-files.ts'
import { readFamily, readSources } from '../input.ts'
import { refuseRulesets } from '../wrong-file.ts'
import { flagTexts } from '../network/flag-texts.ts'
import { generatedRules } from '../network/generated-rules.ts'
import { printRules } from '../network/print-rules.ts'
import { PROXY_FLAGS, readProxyFlags } from '../network/proxy-flags.ts'
import { rulesJson } from '../network/rules-json.ts'

const help = `5x5 kube writes the rules that kube-proxy writes in iptables mode for the services of a cluster, on one node.

usage: 5x5 kube [flags] OBJECTS...

  --node NAME            the node; endpoints on it are local. Not needed where OBJECTS have one Node
  --node-ip ADDRESS,...  its addresses, the one that it is known by first; a Node of OBJECTS tells them too
  --cluster-cidr PREFIX,...       addresses of pods: whoever has another one is masqueraded on the way to a service
  --nodeport-addresses PREFIX,...  node ports are open on these addresses of the node only
  --masquerade-all       masquerade everything that is sent to a cluster address
  --no-localhost-nodeports        node ports do not work by 127.0.0.1
  --base RULES           rules that the node had before (may be given twice, for IPv4 and IPv6): those of kube-proxy are written into them
  -o, --output DIR       write DIR/${DOCKER_FILES.ipv4} and DIR/${DOCKER_FILES.ipv6} instead of printing them
  --family ipv4|ipv6     print the rules of one family only
  --explain              print the services, and why every rule is there
  --all                  show every finding, however many there are of a kind
  --json                 print {"rules": {"ipv4": {"text", "rules": [...]}, "ipv6": ...}, "assumptions", "files"}

OBJECTS are what \`kubectl get services,endpointslices,nodes -A -o yaml\` prints, in one or several files, and kube-proxy's own
configuration (kind KubeProxyConfiguration), over which flags come. A compact description does too: \`clusterCIDR\`, and under
\`services\` entries of \`{name: "ns/web:http", type, clusterIP, port, nodePort, externalIPs, loadBalancerIPs, endpoints: ["10.1.0.2:80"]}\`.
kube-proxy writes services in no order: here they stand in that of their names.

examples:
  kubectl get services,endpointslices,nodes -A -o yaml | 5x5 kube - --node worker-1 --cluster-cidr 10.244.0.0/16
  5x5 kube cluster.yaml kube-proxy.yaml --explain
  5x5 kube cluster.yaml -o rules && 5x5 trace rules/${DOCKER_FILES.ipv4} 'eth0 tcp 198.51.100.7 > 10.96.0.10:53'

exit code: 0 no error and no warning, 1 some, 2 a file cannot be read
`

/** The command. */
export const kube: Command = {
  help,
  flags: {
    ...PROXY_FLAGS, base: { type: 'string', multiple: true }, output: { type: 'string', short: 'o' }, family: { type: 'string' },
    explain: { type: 'boolean' }, all: { type: 'boolean' }, json: { type: 'boolean' },
  },
  async run(values, words, terminal) {
    if (words.length === 0) throw commandError('which services?', 'usage: 5x5 kube OBJECTS.yaml')
    const sources = readSources(words, terminal.directory)
    refuseRulesets(sources, 'a description of services', 'rules that the node had before are given with `--base`')
    const { value, skipped, diagnostics, ignored } = readCluster(sources, readProxyFlags(values))
    const base = readBase(flagTexts(values, 'base'), terminal.directory)
    const rules = generatedRules((family, before) => generateRules(value, family, before), { base, family: readFamily(values['family']) })
    const summary = `of kube-proxy for ${count(value.services.length, 'service port')}${skipped.length === 0 ? '' : `; ${count(skipped.length, 'service')} without rules`}`
    if (values['json'] === true) terminal.out(`${JSON.stringify(rulesJson(rules, diagnostics), undefined, 2)}\n`)
    else printRules({ rules, isEmpty: value.services.length === 0, diagnostics, ignored, values, assumptions: [], title: 'kube-proxy', overview: writeServices(value, skipped, terminal.paint), summary }, terminal)
    if (diagnostics.some(({ code }) => code === 'bad-yaml')) return EXIT.usage
    return diagnostics.some(({ severity }) => severity !== 'note') ? EXIT.findings : EXIT.clean
  },
}
