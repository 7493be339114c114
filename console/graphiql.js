/* GraphiQL on this server: POST for queries and mutations, graphql-transport-ws for subscriptions, one token for both. */
"use strict";

const { createElement } = window.React;
const socketUrl = location.origin.replace(/^http/, "ws") + "/graphql";

function isSubscription(documentAST, operationName) {
  const operations = (documentAST?.definitions ?? []).filter((node) => node.kind === "OperationDefinition");
  const chosen = operations.find((node) => node.name?.value === operationName) ?? operations[0];
  return chosen?.operation === "subscription";
}

async function fetcher(params, options = {}) {
  const headers = options.headers ?? {};
  if (isSubscription(options.documentAST, params.operationName)) {
    const token = headers.Authorization ?? headers.authorization;
    const client = window.graphqlWs.createClient({
      url: socketUrl,
      connectionParams: token ? { Authorization: token } : {},
    });
    return client.iterate(params);
  }
  const response = await fetch("/graphql", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/graphql-response+json, application/json",
      ...headers,
    },
    body: JSON.stringify(params),
  });
  return response.json();
}

const remembered = sessionStorage.getItem("waarborg.token");
const root = window.ReactDOM.createRoot(document.getElementById("graphiql"));
root.render(
  createElement(window.GraphiQL, {
    fetcher,
    headers: JSON.stringify({ Authorization: `Bearer ${remembered ?? "<token>"}` }, null, 2),
    shouldPersistHeaders: false,
    defaultEditorToolsVisibility: "headers",
    defaultQuery: `# Tokens are on the first page, or: waarborg token --role dispatcher
query OpenIncidents {
  incidents(statuses: [NEW, ACKNOWLEDGED, IN_PROGRESS], first: 10) {
    nodes {
      summary
      priority
      status
      account { name }
      promises { name state remainingSeconds }
    }
  }
}
`,
  }),
);
