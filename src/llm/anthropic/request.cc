#include "llm/anthropic/request.h"

#include "llm/anthropic/request_writer.h"

namespace deeppool::llm::anthropic {

Result<void> check_version(std::optional<std::string_view> header) {
  if (!header || *header == "2023-06-01" || *header == "2026-10-21") return {};
  return Error::invalid("anthropic-version",
                        "This anthropic-version is not supported. Send 2023-06-01 or 2026-10-21.");
}

Result<HouseBody> to_house(const json::PaddedBytes& request, Purpose purpose,
                           std::string_view betas) {
  DP_TRY(const json::ShallowObject fields, read_body(request));
  RequestWriter writer(fields);
  if (!writer.write(purpose, betas)) return writer.path().error();
  HouseBody house;
  house.body.append(writer.text());
  house.prompt_tokens = writer.prompt_tokens();
  return house;
}

}  // namespace deeppool::llm::anthropic
