//! Proving who we are, and letting the server prove the same: trust, cleartext, md5,
//! SCRAM-SHA-256 and, on TLS, SCRAM-SHA-256-PLUS ("SASL Authentication"). GSSAPI, SSPI and OAuth
//! are refused by name.
//!
//! [`Exchange`] is the conversation without its I/O. It lets a server in only after the steps
//! that the user demanded. An early `AuthenticationOk` is an error: before the server's signature was
//! checked, or without the demanded channel binding. A man in the middle would send just that.

use bytes::BytesMut;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{
    self, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, ScramSha256,
};

use super::authentication::{
    Authentication, AuthenticationError, ChannelBinding, ChannelBindingPolicy, Method,
};
use super::backend::AuthenticationRequest;
use super::frontend;

/// The most SCRAM iterations we compute, as `postgres_protocol` has it: the count comes from a
/// server that has proven nothing yet. PostgreSQL's default is 4096.
pub const SCRAM_ITERATION_LIMIT: u32 = 100_000;

/// How far the conversation is.
enum State {
    /// Nothing was asked.
    Start,
    /// The password was sent.
    Answered,
    /// The SCRAM exchange has begun; the flag says whether it is bound to the channel.
    Scram(Box<ScramSha256>, bool),
    /// Our SCRAM proof was sent.
    Proven(Box<ScramSha256>, bool),
    /// The server's signature was checked.
    Verified(bool),
}

/// The conversation, without its I/O.
pub(super) struct Exchange<'a> {
    authentication: &'a Authentication<'a>,
    state: State,
}

impl<'a> Exchange<'a> {
    /// A conversation that has not begun.
    pub(super) const fn new(authentication: &'a Authentication<'a>) -> Self {
        Self {
            authentication,
            state: State::Start,
        }
    }

    /// Answers a request of the server into `out`; true when we are in.
    ///
    /// # Errors
    /// We cannot or do not want to do what the server asks.
    pub(super) fn answer_request(
        &mut self,
        request: &AuthenticationRequest<'_>,
        out: &mut BytesMut,
    ) -> Result<bool, AuthenticationError> {
        let state = std::mem::replace(&mut self.state, State::Answered);
        self.state = match (request, state) {
            (AuthenticationRequest::Ok, state) => {
                return self.check_admission(&state).map(|()| true);
            }
            (AuthenticationRequest::Unsupported(method), _) => {
                return Err(AuthenticationError::MethodUnsupported { method });
            }
            (AuthenticationRequest::CleartextPassword, State::Start) => {
                self.answer_cleartext(out)?
            }
            (AuthenticationRequest::Md5Password(salt), State::Start) => {
                self.answer_md5(*salt, out)?
            }
            (AuthenticationRequest::Sasl(offered), State::Start) => {
                self.begin_scram(offered, out)?
            }
            (AuthenticationRequest::SaslContinue(data), State::Scram(scram, bound)) => {
                prove_password(scram, bound, data, out)?
            }
            (AuthenticationRequest::SaslFinal(data), State::Proven(mut scram, bound)) => {
                scram
                    .finish(data)
                    .map_err(AuthenticationError::ServerSignature)?;
                State::Verified(bound)
            }
            _ => return Err(AuthenticationError::OutOfOrder),
        };
        Ok(false)
    }

    /// Whether the server may let us in now.
    fn check_admission(&self, state: &State) -> Result<(), AuthenticationError> {
        let bound = match state {
            State::Start => {
                self.check_method(Method::None)?;
                false
            }
            State::Answered => false,
            State::Scram(..) | State::Proven(..) => return Err(AuthenticationError::Unproven),
            State::Verified(bound) => *bound,
        };
        if self.authentication.policy == ChannelBindingPolicy::Require && !bound {
            let reason = "the server does not use it";
            return Err(AuthenticationError::ChannelBindingRequired { reason });
        }
        Ok(())
    }

    fn check_method(&self, method: Method) -> Result<(), AuthenticationError> {
        match self.authentication.methods {
            Some(methods) if !methods.contains(&method) => {
                Err(AuthenticationError::MethodRefused { method })
            }
            _ => Ok(()),
        }
    }

    /// The password, if `method` may have it. An empty one counts as none, as in libpq.
    fn password_for(&self, method: Method) -> Result<&'a str, AuthenticationError> {
        self.check_method(method)?;
        self.authentication
            .password
            .filter(|password| !password.is_empty())
            .ok_or(AuthenticationError::NoPassword { method })
    }

    /// Methods that bind nothing are refused before the password leaves the house.
    fn check_unbound(&self) -> Result<(), AuthenticationError> {
        if self.authentication.policy == ChannelBindingPolicy::Require {
            let reason = "the server asks for a password without SCRAM";
            return Err(AuthenticationError::ChannelBindingRequired { reason });
        }
        Ok(())
    }

    fn answer_cleartext(&self, out: &mut BytesMut) -> Result<State, AuthenticationError> {
        self.check_unbound()?;
        self.check_method(Method::Password)?;
        if !self.authentication.allow_cleartext {
            return Err(AuthenticationError::CleartextRefused);
        }
        let password = self.password_for(Method::Password)?;
        frontend::encode_password(password.as_bytes(), out)?;
        Ok(State::Answered)
    }

    fn answer_md5(&self, salt: [u8; 4], out: &mut BytesMut) -> Result<State, AuthenticationError> {
        self.check_unbound()?;
        let password = self.password_for(Method::Md5)?;
        let user = self.authentication.user.as_bytes();
        let hash = md5_hash(user, password.as_bytes(), salt);
        frontend::encode_password(hash.as_bytes(), out)?;
        Ok(State::Answered)
    }

    fn begin_scram(
        &self,
        offered: &[&str],
        out: &mut BytesMut,
    ) -> Result<State, AuthenticationError> {
        let (mechanism, binding) = self.choose_mechanism(offered)?;
        let password = self.password_for(Method::ScramSha256)?;
        let scram = ScramSha256::new(password.as_bytes(), binding);
        frontend::sasl_initial(mechanism, scram.message(), out)?;
        let bound = mechanism == SCRAM_SHA_256_PLUS;
        Ok(State::Scram(Box::new(scram), bound))
    }

    /// Picks the mechanism. The binding also informs the server what we could have done. So it notices if
    /// somebody struck PLUS from its offer (RFC 5802, section 6).
    fn choose_mechanism(
        &self,
        offered: &[&str],
    ) -> Result<(&'static str, sasl::ChannelBinding), AuthenticationError> {
        let plus_offered = offered.contains(&SCRAM_SHA_256_PLUS);
        let policy = self.authentication.policy;
        let usable = match &self.authentication.channel_binding {
            ChannelBinding::Plain if plus_offered => {
                return Err(AuthenticationError::ChannelBindingOnPlain);
            }
            ChannelBinding::TlsServerEndPoint(hash) if policy != ChannelBindingPolicy::Disable => {
                Some(hash)
            }
            ChannelBinding::TlsServerEndPoint(_)
            | ChannelBinding::Plain
            | ChannelBinding::Unsupported => None,
        };
        if let (Some(hash), true) = (usable, plus_offered) {
            let binding = sasl::ChannelBinding::tls_server_end_point(hash.clone());
            return Ok((SCRAM_SHA_256_PLUS, binding));
        }
        if policy == ChannelBindingPolicy::Require {
            let reason = self.why_unbound();
            return Err(AuthenticationError::ChannelBindingRequired { reason });
        }
        if !offered.contains(&SCRAM_SHA_256) {
            let offered = offered.iter().map(|&name| name.to_owned()).collect();
            return Err(AuthenticationError::MechanismUnsupported { offered });
        }
        let binding = if usable.is_some() {
            sasl::ChannelBinding::unrequested()
        } else {
            sasl::ChannelBinding::unsupported()
        };
        Ok((SCRAM_SHA_256, binding))
    }

    const fn why_unbound(&self) -> &'static str {
        match self.authentication.channel_binding {
            ChannelBinding::Plain => "the connection is not encrypted by TLS",
            ChannelBinding::Unsupported => "none is defined for the server's kind of certificate",
            ChannelBinding::TlsServerEndPoint(_) => "the server does not offer it",
        }
    }
}

/// Our proof, in answer to the server's salt.
fn prove_password(
    mut scram: Box<ScramSha256>,
    bound: bool,
    data: &[u8],
    out: &mut BytesMut,
) -> Result<State, AuthenticationError> {
    let limit = SCRAM_ITERATION_LIMIT;
    if let Some(count) = iteration_count(data).filter(|count| *count > limit) {
        return Err(AuthenticationError::TooManyIterations { count, limit });
    }
    scram.update(data).map_err(AuthenticationError::Scram)?;
    frontend::sasl_response(scram.message(), out)?;
    Ok(State::Proven(scram, bound))
}

/// The `i=` of the server's first message; saturates.
fn iteration_count(data: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(data).ok()?;
    let digits = text.split(',').find_map(|field| field.strip_prefix("i="))?;
    let valid = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    valid.then(|| digits.parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Authentication<'static> = Authentication {
        user: "u",
        password: Some("secret"),
        channel_binding: ChannelBinding::Plain,
        policy: ChannelBindingPolicy::Prefer,
        allow_cleartext: false,
        methods: None,
    };

    fn tls(policy: ChannelBindingPolicy) -> Authentication<'static> {
        Authentication {
            channel_binding: ChannelBinding::TlsServerEndPoint(vec![1; 32]),
            policy,
            ..PLAIN
        }
    }

    /// The answers to requests in a row; the last result.
    fn answer(
        authentication: &Authentication<'_>,
        requests: &[AuthenticationRequest<'_>],
    ) -> (Result<bool, AuthenticationError>, Vec<u8>) {
        let mut exchange = Exchange::new(authentication);
        let mut out = BytesMut::new();
        let mut result = Ok(false);
        for request in requests {
            result = exchange.answer_request(request, &mut out);
        }
        (result, out.to_vec())
    }

    fn sasl<'a>(names: &[&'a str]) -> AuthenticationRequest<'a> {
        AuthenticationRequest::Sasl(names.to_vec())
    }

    macro_rules! refused {
        ($authentication:expr, $requests:expr, $pattern:pat) => {
            let (result, _) = answer($authentication, $requests);
            assert!(matches!(result, Err($pattern)), "{result:?}");
        };
    }

    #[test]
    fn methods_are_refused_by_name() {
        let gss = AuthenticationRequest::Unsupported("GSSAPI");
        refused!(
            &PLAIN,
            &[gss],
            AuthenticationError::MethodUnsupported { method: "GSSAPI" }
        );
        let (result, _) = answer(&PLAIN, &[sasl(&["OAUTHBEARER"])]);
        let text = result.unwrap_err().to_string();
        assert_eq!(
            text,
            "the server offers only the unsupported SASL mechanisms OAUTHBEARER"
        );
    }

    #[test]
    fn the_password_is_not_sent_in_clear_over_the_network() {
        let ask = [AuthenticationRequest::CleartextPassword];
        refused!(&PLAIN, &ask, AuthenticationError::CleartextRefused);
        let local = Authentication {
            allow_cleartext: true,
            ..PLAIN
        };
        assert_eq!(answer(&local, &ask).1, b"p\0\0\0\x0bsecret\0");
    }

    #[test]
    fn an_empty_password_is_none() {
        let ask = [AuthenticationRequest::Md5Password([1, 2, 3, 4])];
        for password in [None, Some("")] {
            let without = Authentication { password, ..PLAIN };
            refused!(
                &without,
                &ask,
                AuthenticationError::NoPassword {
                    method: Method::Md5
                }
            );
        }
        assert!(answer(&PLAIN, &ask).1.starts_with(b"p\0\0\0\x28md5"));
    }

    #[test]
    fn required_methods_are_kept_to() {
        let only = |methods| Authentication {
            methods: Some(methods),
            ..PLAIN
        };
        let refused = [AuthenticationRequest::Md5Password([0; 4])];
        refused!(
            &only(&[Method::ScramSha256]),
            &refused,
            AuthenticationError::MethodRefused {
                method: Method::Md5
            }
        );
        assert!(answer(&only(&[Method::Md5]), &refused).0.is_ok());
        let trusted = [AuthenticationRequest::Ok];
        refused!(
            &only(&[Method::Md5]),
            &trusted,
            AuthenticationError::MethodRefused {
                method: Method::None
            }
        );
        assert!(matches!(
            answer(&only(&[Method::None]), &trusted).0,
            Ok(true)
        ));
    }

    #[test]
    fn a_server_that_has_proven_nothing_is_not_believed() {
        let early = [sasl(&[SCRAM_SHA_256]), AuthenticationRequest::Ok];
        refused!(&PLAIN, &early, AuthenticationError::Unproven);
        let twice = [sasl(&[SCRAM_SHA_256]), sasl(&[SCRAM_SHA_256])];
        refused!(&PLAIN, &twice, AuthenticationError::OutOfOrder);
        refused!(
            &PLAIN,
            &[AuthenticationRequest::SaslFinal(b"v=")],
            AuthenticationError::OutOfOrder
        );
    }

    #[test]
    fn the_mechanism_says_what_both_sides_can() {
        let both = [sasl(&[SCRAM_SHA_256_PLUS, SCRAM_SHA_256])];
        let plain = [sasl(&[SCRAM_SHA_256])];
        let sent = |authentication: &Authentication<'_>, requests: &[AuthenticationRequest<'_>]| {
            String::from_utf8_lossy(&answer(authentication, requests).1).into_owned()
        };
        assert!(
            sent(&tls(ChannelBindingPolicy::Prefer), &both).contains("p=tls-server-end-point,,")
        );
        assert!(sent(&tls(ChannelBindingPolicy::Prefer), &plain).contains("y,,"));
        assert!(sent(&tls(ChannelBindingPolicy::Disable), &both).contains("n,,"));
        assert!(sent(&PLAIN, &plain).contains("n,,"));
        refused!(&PLAIN, &both, AuthenticationError::ChannelBindingOnPlain);
    }

    #[test]
    fn required_channel_binding_is_not_given_up() {
        let require = tls(ChannelBindingPolicy::Require);
        for request in [
            AuthenticationRequest::Ok,
            AuthenticationRequest::CleartextPassword,
            AuthenticationRequest::Md5Password([0; 4]),
            sasl(&[SCRAM_SHA_256]),
        ] {
            refused!(
                &require,
                &[request],
                AuthenticationError::ChannelBindingRequired { .. }
            );
        }
    }

    #[test]
    fn more_iterations_than_we_compute_are_told_with_both_numbers() {
        let first = AuthenticationRequest::SaslContinue(b"r=x,s=eA==,i=99999999999");
        refused!(
            &PLAIN,
            &[sasl(&[SCRAM_SHA_256]), first],
            AuthenticationError::TooManyIterations {
                count: u32::MAX,
                limit: SCRAM_ITERATION_LIMIT
            }
        );
        assert_eq!(iteration_count(b"r=x,s=eA==,i=4096"), Some(4096));
        assert_eq!(iteration_count(b"r=x,s=eA=="), None);
    }
}
