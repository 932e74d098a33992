#include "provider/anthropic/block.h"

namespace deeppool::provider::anthropic {

void append_block(std::string& out, const Block& block) {
  switch (block.kind) {
    case Block::Kind::text:
      out.append(R"({"type":"text","text":")").append(block.json).append("\"");
      break;
    case Block::Kind::tool_use:
      out.append(R"({"type":"tool_use","id":")")
          .append(block.tool_id)
          .append("\",")
          .append(block.json);
      break;
    case Block::Kind::tool_result:
      out.append(R"({"type":"tool_result","tool_use_id":")").append(block.tool_id).append("\"");
      if (!block.json.empty()) out.append(",").append(block.json);
      break;
    case Block::Kind::media:
    case Block::Kind::thinking:
      out.append("{").append(block.json);
      break;
  }
  if (!block.cache_control.empty()) out.append(",\"cache_control\":").append(block.cache_control);
  out += '}';
}

}  // namespace deeppool::provider::anthropic
