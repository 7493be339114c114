/* Minimal graphql-transport-ws client for one subscription: reconnects, and resumes from the last cursor if there is one. */

const FATAL = new Set([4400, 4401, 4406, 4409, 4429]);

export function follow({ query, token, after, variables, onEvent, onState }) {
  let cursor = after;
  let socket = null;
  let waiting = null;
  let attempts = 0;
  let ended = false;

  const end = (message) => {
    ended = true;
    clearTimeout(waiting);
    socket?.close(1000);
    if (message) onState("trouble", message);
  };

  const connect = () => {
    onState("connecting", attempts ? "Reconnecting…" : "Connecting…");
    socket = new WebSocket(location.origin.replace(/^http/, "ws") + "/graphql", "graphql-transport-ws");
    const send = (message) => socket.send(JSON.stringify(message));
    socket.onopen = () => send({ type: "connection_init", payload: { Authorization: `Bearer ${token}` } });
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === "connection_ack") {
        attempts = 0;
        send({ type: "subscribe", id: "1", payload: { query, variables: variables ?? { after: cursor } } });
        onState("live", "Connected: new events appear here");
      } else if (message.type === "ping") {
        send({ type: "pong" });
      } else if (message.type === "next") {
        const { data: result, errors } = message.payload;
        if (errors) return end(errors[0].message);
        const event = Object.values(result)[0];
        cursor = event.cursor ?? cursor;
        onEvent(event);
      } else if (message.type === "error") {
        end(message.payload[0].message);
      } else if (message.type === "complete") {
        end("The server ended the feed");
      }
    };
    socket.onclose = ({ code, reason }) => {
      if (ended) return;
      if (FATAL.has(code) || (code === 4403 && attempts > 0)) return end(reason || `Closed (${code})`);
      attempts += 1;
      const pause = Math.min(10_000, 300 * 2 ** attempts) * (0.5 + Math.random() / 2);
      onState("connecting", `Closed (${code}); reconnecting…`);
      waiting = setTimeout(connect, pause);
    };
  };

  connect();
  return () => end(null);
}
