/** What is used of the SDK: the build makes one file of this module, which nothing but the server loads. */
export {
  inputRequired,
  inputResponse,
  McpServer,
  parseJSONRPCMessage,
} from "@modelcontextprotocol/server";
export { serveStdio } from "@modelcontextprotocol/server/stdio";
