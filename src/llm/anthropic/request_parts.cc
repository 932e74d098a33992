#include "llm/anthropic/request_writer.h"

namespace deeppool::llm::anthropic {

using json::Kind;
using json::ShallowObject;
using json::Value;
using Step = FieldPath::Step;

bool RequestWriter::write_part(JsonOut& json, const Block& block) {
  if (block.type == "text") return write_text(json, block);
  if (block.type == "image") return write_image(json, block);
  if (block.type == "document") return write_document(json, block);
  if (block.type == "search_result") return write_search_result(json, block);
  return unsupported(block.type);
}

void RequestWriter::write_cache_control(JsonOut& json, const ShallowObject& of) {
  const Value mark = of["cache_control"];
  if (!mark.unset()) json.json("cache_control", mark.text);
}

void RequestWriter::write_text_part(JsonOut& json, std::string_view escaped,
                                    const ShallowObject& of) {
  text_bytes_ += escaped.size();
  json.object();
  json.string("type", "text");
  json.raw("text", escaped);
  write_cache_control(json, of);
  json.end_object();
}

bool RequestWriter::write_text(JsonOut& json, const Block& block) {
  Value text;
  if (!required_string(block.object, "text", text)) return false;
  write_text_part(json, text.raw(), block.object);
  return true;
}

// The URL of a picture or file, as a JSON string. Large data is copied as it is spelt.
bool RequestWriter::write_url(JsonOut& json, const ShallowObject& source) {
  Value type;
  if (!required_string(source, "type", type)) return false;
  if (type.raw() == "url") {
    Value url;
    if (!required_string(source, "url", url)) return false;
    json.json(url.text);
    return true;
  }
  if (type.raw() != "base64") return unsupported(type.string());
  Value media;
  Value bytes;
  if (!required_string(source, "media_type", media)) return false;
  if (!required_string(source, "data", bytes)) return false;
  std::string url = "data:";
  url.reserve(bytes.text.size() + 64);
  url.append(media.raw()).append(";base64,").append(bytes.raw());
  json.raw(url);
  return true;
}

bool RequestWriter::write_image(JsonOut& json, const Block& block) {
  const Step at(path_, "source");
  const Value source = block.object["source"];
  if (!path_.expect(source, Kind::object)) return false;
  ++images_;
  json.object();
  json.string("type", "image_url");
  json.key("image_url");
  json.object();
  json.key("url");
  if (!write_url(json, ShallowObject(source))) return false;
  json.end_object();
  write_cache_control(json, block.object);
  json.end_object();
  return true;
}

bool RequestWriter::write_document(JsonOut& json, const Block& block) {
  const Step at(path_, "source");
  const Value source = block.object["source"];
  if (!path_.expect(source, Kind::object)) return false;
  const ShallowObject fields(source);
  Value type;
  if (!required_string(fields, "type", type)) return false;
  if (type.raw() == "text") return write_document_text(json, block, fields["data"]);
  if (type.raw() != "content") return write_file(json, block, fields);
  const Value content = fields["content"];
  if (content.is(Kind::string)) return write_document_text(json, block, content);
  const Step inside(path_, "content");
  Blocks blocks;
  if (!read_blocks(content, blocks)) return false;
  for (const Block& inner : blocks) {
    const Step element(path_, inner.index);
    if (inner.type != "text" && inner.type != "image") return unsupported(inner.type);
    if (!write_part(json, inner)) return false;
  }
  return true;
}

bool RequestWriter::write_document_text(JsonOut& json, const Block& block, Value text) {
  if (!path_.expect("data", text, Kind::string)) return false;
  std::string whole;
  const Value title = block.object["title"];
  if (title.is(Kind::string)) whole.append(title.raw()).append("\\n\\n");
  whole += text.raw();
  write_text_part(json, whole, block.object);
  return true;
}

bool RequestWriter::write_file(JsonOut& json, const Block& block, const ShallowObject& source) {
  ++images_;
  const Value title = block.object["title"];
  json.object();
  json.string("type", "file");
  json.key("file");
  json.object();
  json.raw("filename", title.is(Kind::string) ? title.raw() : "document.pdf");
  json.key("file_data");
  if (!write_url(json, source)) return false;
  json.end_object();
  write_cache_control(json, block.object);
  json.end_object();
  return true;
}

bool RequestWriter::write_search_result(JsonOut& json, const Block& block) {
  std::string text;
  for (const std::string_view member : {"title", "source"}) {
    Value line;
    if (!required_string(block.object, member, line)) return false;
    text.append(line.raw()).append("\\n");
  }
  const Step at(path_, "content");
  Blocks blocks;
  if (!read_blocks(block.object["content"], blocks)) return false;
  for (const Block& inner : blocks) {
    const Step element(path_, inner.index);
    Value said;
    if (!required_string(inner.object, "text", said)) return false;
    text.append("\\n").append(said.raw());
  }
  write_text_part(json, text, block.object);
  return true;
}

}  // namespace deeppool::llm::anthropic
