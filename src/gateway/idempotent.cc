#include "gateway/idempotent.h"

#include <algorithm>

#include "base/crash_point.h"
#include "base/log.h"
#include "gateway/finish.h"
#include "idempotency/limits.h"

namespace deeppool::gateway {
namespace {

using idempotency::Book;
using idempotency::Claim;
using idempotency::KeptAnswer;
using idempotency::Standing;

constexpr std::string_view kHeader = "idempotency-key";

bool well_formed(std::string_view name) {
  return !name.empty() && name.size() <= idempotency::kMaxNameBytes &&
         std::all_of(name.begin(), name.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

// The same bytes to another route are another request.
crypto::Digest body_digest(const Call& call) {
  std::string text(1, static_cast<char>('0' + static_cast<int>(call.protocol.recorded)));
  text += crypto::bytes_of(call.asked);
  return crypto::sha256(text);
}

base::Deadline store_deadline() {
  return {async::Loop::current().now() + idempotency::kStoreWait};
}

// Keeps the claim alive while its call runs.
Task<void> renew(IdempotencyDesk& desk, Claim claim, std::shared_ptr<async::CancelScope> scope) {
  while (true) {
    const bool waited = co_await async::sleep_for(idempotency::kRenewal, *scope);
    if (!waited) co_return;
    Book& book = desk.book;
    Result<void> done =
        co_await desk.pool.run([&book, claim] { return book.renew(claim); }, store_deadline());
    (void)done;  // two more tries before the lease ends
  }
}

void complain(const Error& error) {
  log::warn("the state of an idempotency key could not be stored",
            {{"detail", error.message + " " + error.detail}});
}

Task<void> release(IdempotencyDesk& desk, Claim claim) {
  Book& book = desk.book;
  Result<void> done =
      co_await desk.pool.run([&book, claim] { return book.release(claim); }, store_deadline());
  if (!done) complain(done.error());
}

// The request was charged, so nobody may have its name while the database does not know.
Task<void> close_at_last(IdempotencyDesk& desk, Claim claim, Book::End end,
                         std::shared_ptr<async::CancelScope> renewing) {
  Book& book = desk.book;
  for (int i = 0; i < idempotency::kCloseTries; ++i) {
    const bool waited = co_await async::sleep_for(idempotency::kCloseRetry, *renewing);
    if (!waited) co_return;
    Result<void> done = co_await desk.pool.run(
        [&book, claim, end] { return book.close(claim, end); }, store_deadline());
    if (done || done.error().code == ErrorCode::conflict) break;
  }
  renewing->cancel(async::CancelReason::shutting_down);
}

Error conflict(const char* message) {
  return Error(ErrorCode::conflict, message);
}

}  // namespace

bool has_idempotency_key(const Call& call) {
  return call.x.head.headers.find(kHeader).has_value();
}

Idempotent::Idempotent(Call& call)
    : call_(call), desk_(*call.parts.idempotency), capture_(desk_.budget) {}

Idempotent::~Idempotent() {
  if (renewing_) renewing_->cancel(async::CancelReason::shutting_down);
  if (!open_) return;
  call_.parts.background.spawn(release(desk_, claim_));
}

Task<Result<void>> Idempotent::claim(const idempotency::Ask& ask) {
  Book& book = desk_.book;
  Result<Standing> standing =
      co_await desk_.pool.run([&book, ask] { return book.claim(ask); }, store_deadline());
  if (!standing) {
    Error error(ErrorCode::unavailable,
                "The Idempotency-Key cannot be checked at the moment. Try again shortly.",
                standing.error().message + " " + standing.error().detail);
    error.retry_after = idempotency::kRunningRetry;
    co_return error;
  }
  if (standing->kind == Standing::Kind::answered) {
    replay_ = std::make_unique<KeptAnswer>(std::move(standing->answer));
    co_return Result<void>();
  }
  if (standing->kind != Standing::Kind::claimed) co_return explain(standing->kind);
  claim_ = standing->claim;
  open_ = true;
  renewing_ = std::make_shared<async::CancelScope>();
  call_.parts.background.spawn(renew(desk_, claim_, renewing_));
  co_return Result<void>();
}

// SDKs repeat a 409 by themselves unless they are told not to.
Result<void> Idempotent::explain(Standing::Kind kind) {
  if (kind == Standing::Kind::other_body) {
    Error error(ErrorCode::idempotency_mismatch,
                "This Idempotency-Key was used for another request. Send a new one with each "
                "request, and the same one only to repeat it.");
    error.param = "Idempotency-Key";
    return error;
  }
  if (kind == Standing::Kind::too_many) {
    Error error(ErrorCode::rate_limited,
                "This API key has used too many Idempotency-Keys within 24 hours.");
    error.retry_after = std::chrono::minutes(1);
    return error;
  }
  if (kind == Standing::Kind::running) {
    call_.x.add_header("x-should-retry", "true");
    Error error = conflict("The first request with this Idempotency-Key is still running.");
    error.retry_after = idempotency::kRunningRetry;
    return error;
  }
  call_.x.add_header("x-should-retry", "false");
  if (kind == Standing::Kind::cut) {
    return conflict(
        "The first request with this Idempotency-Key was left by its caller and charged for what "
        "was generated until then. Send a new key to ask again.");
  }
  return conflict(
      "The first request with this Idempotency-Key was answered and charged, but its answer could "
      "not be kept. Send a new key to ask again.");
}

Task<void> Idempotent::end(std::function<Result<void>()> work, Book::End otherwise) {
  open_ = false;
  Result<void> done = co_await desk_.pool.run(std::move(work), store_deadline());
  if (done) {
    renewing_->cancel(async::CancelReason::shutting_down);
    co_return;
  }
  complain(done.error());
  call_.parts.background.spawn(
      close_at_last(desk_, claim_, otherwise, std::exchange(renewing_, nullptr)));
}

Task<void> Idempotent::keep(KeptAnswer::Form form) {
  if (!open_) co_return;
  base::crash_point("idempotency.before_keep");
  Book& book = desk_.book;
  if (!capture_.complete()) {
    co_await end([&book, claim = claim_] { return book.close(claim, Book::End::too_large); },
                 Book::End::too_large);
    co_return;
  }
  KeptAnswer answer;
  answer.form = form;
  answer.content_type = form == KeptAnswer::Form::stream ? kStreamContentType : kJsonContentType;
  answer.headers = std::move(headers_);
  answer.headers.emplace_back("x-deeppool-original-request-id", call_.x.id.to_string());
  answer.body = capture_.bytes();
  co_await end([&book, claim = claim_, kept = std::move(answer)] { return book.keep(claim, kept); },
               Book::End::too_large);
  base::crash_point("idempotency.kept");
}

Task<void> Idempotent::cut() {
  if (!open_) co_return;
  Book& book = desk_.book;
  co_await end([&book, claim = claim_] { return book.close(claim, Book::End::cut); },
               Book::End::cut);
}

Task<Result<void>> claim_idempotency_key(Call& call) {
  const std::string_view name = call.x.head.headers.find(kHeader).value_or("");
  if (!well_formed(name)) {
    co_return Error::invalid("Idempotency-Key",
                             "An Idempotency-Key has 1 to 255 printable ASCII characters.");
  }
  idempotency::Ask ask;
  ask.key = call.key->id;
  ask.name = crypto::sha256(name);
  ask.body = body_digest(call);
  ask.request = call.x.id;
  auto idempotent = std::make_unique<Idempotent>(call);
  Result<void> claimed = co_await idempotent->claim(ask);
  DP_CO_CHECK(std::move(claimed));
  call.idempotent = std::move(idempotent);
  co_return Result<void>();
}

Task<void> send_replay(Call& call) {
  const KeptAnswer& answer = *call.idempotent->replay();
  finish(call, {});  // nothing is charged
  call.x.log_fields.put(",\"idempotent_replay\":true");
  for (const auto& [name, value] : answer.headers) call.x.add_header(name, value);
  call.x.add_header("x-deeppool-idempotent-replay", "true");
  if (answer.form == KeptAnswer::Form::whole) {
    Result<void> sent = co_await call.x.send(200, answer.content_type, answer.body);
    (void)sent;
    co_return;
  }
  call.x.add_header("Cache-Control", "no-cache");
  call.x.add_header("X-Accel-Buffering", "no");
  call.x.start_stream(200, answer.content_type);
  Result<void> sent = co_await call.x.finish(answer.body);
  (void)sent;
}

Task<void> keep_whole_answer(Call& call, std::span<const std::string_view> body) {
  for (const std::string_view piece : body) call.idempotent->capture(piece);
  co_await call.idempotent->keep(KeptAnswer::Form::whole);
}

}  // namespace deeppool::gateway
