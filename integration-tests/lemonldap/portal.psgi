use strict;
use warnings;
use Lemonldap::NG::Portal;
use Plack::Builder;

my $portal = Lemonldap::NG::Portal->run( {} );
builder {
    enable 'Static', path => qr{^/static/},     root => '/usr/share/lemonldap-ng/portal/htdocs';
    enable 'Static', path => qr{^/javascript/}, root => '/usr/share';
    $portal;
};
