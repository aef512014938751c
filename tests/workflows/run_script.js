// Runs a script as actions/github-script would, against a GitHub that answers from a list.
// Standard input: {script, context, answers}; standard output: every call, in its order.
const input = JSON.parse(require('node:fs').readFileSync(0, 'utf8'))
const calls = []

const answer = (name) => async (request) => {
  calls.push([name, request])
  const data = input.answers[name]
  if (name.endsWith('downloadArtifact')) return { data: Uint8Array.from(Buffer.from(data, 'base64')).buffer }
  return { data }
}
const room = (name) => new Proxy({}, { get: (_, verb) => answer(`${name}.${String(verb)}`) })
const github = {
  rest: { actions: room('actions'), issues: room('issues'), pulls: room('pulls') },
  paginate: async (method, request) => (await method(request)).data,
}
const core = {
  notice: (text) => calls.push(['notice', text]),
  warning: (text) => calls.push(['warning', text]),
}

const Script = Object.getPrototypeOf(async () => {}).constructor
new Script('github', 'context', 'core', 'require', input.script)(github, input.context, core, require)
  .then(() => console.log(JSON.stringify(calls)))
