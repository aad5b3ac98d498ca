// The worker that `wrangler dev` runs beside ours: hello, a marker to save, workflows of trivial steps.
import { WorkflowEntrypoint } from "cloudflare:workers";

const MARKER = "v0"; // each save of the reload figures writes another

let completed = 0;

export class BenchWorkflow extends WorkflowEntrypoint {
  async run(event, step) {
    const { kind, n } = event.payload;
    const names = kind === "three" ? ["one", "two", "three"] : Array.from({ length: n }, (_, i) => `s${i}`);
    let last = 0;
    for (const name of names) last = await step.do(name, async () => last + 1);
    completed += 1;
    return { last };
  }
}

async function statusOf(flow, id) {
  const instance = await flow.get(id);
  return Response.json(await instance.status());
}

async function create(flow, query) {
  const params = { kind: query.get("kind"), n: Number(query.get("n")) };
  const instance = await flow.create({ params });
  return Response.json({ id: instance.id });
}

export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    const id = searchParams.get("instanceId");
    switch (pathname) {
      case "/":
        return id ? statusOf(env.FLOW, id) : new Response("Hello World!");
      case "/marker":
        return new Response(MARKER);
      case "/create":
        return create(env.FLOW, searchParams);
      case "/stats":
        return Response.json({ completed });
      default:
        return new Response("not found", { status: 404 });
    }
  },
};
